// What of linear algebra the metrics and the directions of latents need, row-major, on the calling thread, in double
// precision unless said otherwise. By Eigen, which linear_algebra.cpp alone includes.
#pragma once

#include <cstdint>
#include <vector>

namespace duel {

// sums += rows^T rows. Only the triangle on and below the diagonal is added to.
void add_lower_gram(const double* rows,  // [count, width]
                    std::int64_t count, std::int64_t width,
                    double* sums);  // [width, width]

// to = a b^T.
void row_products(const double* a, std::int64_t a_rows,  // [a_rows, width]
                  const double* b, std::int64_t b_rows,  // [b_rows, width]
                  std::int64_t width,
                  double* to);  // [a_rows, b_rows]

// A matrix R with R R^T = m for a symmetric m without negative eigenvalues, by its eigenvectors: a column for each
// eigenvalue above width * epsilon * the greatest one. Those below are rounding of zero, and of a matrix of lower rank
// there are such: their roots, 1e-8 of the greatest one's, would be noise.
struct SymmetricRoot {
  std::int64_t rank = 0;
  std::vector<double> transposed;  // [rank, width]: R^T
};
SymmetricRoot symmetric_root(const double* m,  // [width, width]; the lower triangle is read
                             std::int64_t width);

// Eigenvalues of a symmetric matrix, the greatest first, and their unit eigenvectors, a row each. An eigenvector is as
// good as its opposite: the one whose element of the greatest magnitude is positive is taken.
struct EigenPairs {
  std::vector<double> values;   // [width]
  std::vector<double> vectors;  // [width, width]
};
EigenPairs symmetric_eigen(const double* m,  // [width, width]; the lower triangle is read
                           std::int64_t width);

// The principal components of rows: their variances, the greatest first, and each row's coordinates by them. By
// subspace iteration (Halko, Martinsson & Tropp, "Finding structure with randomness", 2011, algorithm 4.4) from numbers
// that are always the same, products in f32.
struct PrincipalComponents {
  double total_variance = 0;        // of all components
  std::vector<double> variances;    // [components]
  std::vector<double> coordinates;  // [count, components]
};
PrincipalComponents principal_components(const float* rows,  // [count, width]
                                         std::int64_t count, std::int64_t width, int components);

// The x for which |a x - b| is least, [a_columns, b_columns].
std::vector<double> least_squares(const double* a, std::int64_t rows, std::int64_t a_columns,  // [rows, a_columns]
                                  const double* b, std::int64_t b_columns);                    // [rows, b_columns]

// The sum of the singular values.
double nuclear_norm(const double* m, std::int64_t rows, std::int64_t columns);  // [rows, columns]

}  // namespace duel
