/* Draws pictures with the generator of a run, without the program duel.
 *
 *   draw RUN [CLASS [SEED]]     the run's folder, a class by name, a number
 *
 * Prints what the run is, and writes 8 pictures into the current folder as picture0.ppm to picture7.ppm (.pgm where
 * they are grey). Exits as duel does. */
#include <duel.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 8 };

static int complain(duel_status status) {
  fprintf(stderr, "draw: %s\n", duel_last_error());
  return (int)status;
}

static void describe(const duel_run* run) {
  printf("step %" PRId64 " of the preset %s: pictures of %dx%d, %d channels\n", duel_step(run), duel_preset(run),
         duel_width(run), duel_height(run), duel_channels(run));
  for (int i = 0; i < duel_class_count(run); ++i) {
    printf("  class %d: %s\n", i, duel_class_name(run, i));
  }
}

/* The number of a class, or -2 where there is none of that name. */
static int class_of(const duel_run* run, const char* name) {
  for (int i = 0; i < duel_class_count(run); ++i) {
    if (strcmp(duel_class_name(run, i), name) == 0) {
      return i;
    }
  }
  fprintf(stderr, "draw: the run has no class %s\n", name);
  return -2;
}

/* The colours of one picture, [height,width,channels], as PGM or PPM, which know no opacity. Returns whether it could.
 */
static int write_picture(int number, const unsigned char* pixels, const duel_run* run) {
  const int channels = duel_channels(run), colours = channels < 3 ? 1 : 3;
  const size_t count = (size_t)duel_width(run) * (size_t)duel_height(run);
  char name[32];
  snprintf(name, sizeof name, "picture%d.%s", number, colours == 1 ? "pgm" : "ppm");
  FILE* file = fopen(name, "wb");
  if (file == NULL) {
    perror(name);
    return 0;
  }
  fprintf(file, "P%d\n%d %d\n255\n", colours == 1 ? 5 : 6, duel_width(run), duel_height(run));
  for (size_t i = 0; i < count; ++i) {
    fwrite(pixels + i * (size_t)channels, 1, (size_t)colours, file);
  }
  const int is_whole = !ferror(file);
  if (fclose(file) != 0 || !is_whole) {
    perror(name);
    return 0;
  }
  return 1;
}

static int draw(duel_run* run, const char* class_name, uint64_t seed) {
  const int class_number = class_name == NULL ? DUEL_ANY_CLASS : class_of(run, class_name);
  if (class_number == -2) {
    return DUEL_USAGE;
  }
  const size_t size = (size_t)duel_width(run) * (size_t)duel_height(run) * (size_t)duel_channels(run);
  unsigned char* pixels = malloc(COUNT * size);
  duel_status status = pixels == NULL ? DUEL_DEVICE : DUEL_DONE;
  if (status == DUEL_DONE) {
    status = duel_draw(run, class_number, seed, 0, COUNT, pixels, COUNT * size);
    if (status != DUEL_DONE) {
      complain(status);
    }
  }
  for (int i = 0; i < COUNT && status == DUEL_DONE; ++i) {
    status = write_picture(i, pixels + (size_t)i * size, run) ? DUEL_DONE : DUEL_DATA;
  }
  free(pixels);
  return (int)status;
}

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    fprintf(stderr, "usage: draw RUN [CLASS [SEED]]\n");
    return DUEL_USAGE;
  }
  duel_run* run = NULL;
  const duel_status status = duel_open(argv[1], DUEL_LATEST, DUEL_AVERAGED, "auto", 0, &run);
  if (status != DUEL_DONE) {
    return complain(status);
  }
  describe(run);
  const int result = draw(run, argc > 2 ? argv[2] : NULL, argc > 3 ? strtoull(argv[3], NULL, 10) : 0);
  duel_close(run);
  return result;
}
