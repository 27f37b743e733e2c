// What the classes of a data set are called: a file classes.txt with a name a line, in the order of the labels.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace duel {

// Fashion-MNIST's ten, as its authors call them (Xiao, Rasul, Vollgraf 2017).
std::vector<std::string> fashion_mnist_classes();

// "0", "1", ...: classes that nobody has named.
std::vector<std::string> numbered_classes(int count);

// Spaces around a name and empty lines at the end do not count. Errors are of kind `data` and begin with the path: a
// file that cannot be read or has no name, an empty line between names, a name that comes twice (in whatever case), a
// byte that is no text.
std::vector<std::string> read_class_names(const std::filesystem::path& file);

}  // namespace duel
