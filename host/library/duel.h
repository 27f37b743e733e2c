// Pictures from the generator of a run, for programs in C or any language that calls C: libduel, without the command
// line.
//
// The bytes are those of `duel generate` with the same run, seed, class and kind of device.
//
// Errors: a function that can fail returns a status, the program's exit code; duel_last_error() then says in a sentence
// what, where and what to do. No C++ exception leaves the library, and it prints nothing.
//
// Threads: runs do not know of each other. One run is used by one thread at a time; on a GPU always by the thread that
// opened it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct duel_run duel_run;  // a checkpoint's generator, on its device

typedef enum duel_status {
  DUEL_DONE = 0,
  DUEL_INTERNAL = 1,  // a fault of the library
  DUEL_USAGE = 2,     // an argument that cannot be meant
  DUEL_DATA = 3,      // a run that is missing, damaged or cannot be read
  DUEL_DEVICE = 4     // no such device, or too little memory
} duel_status;

typedef enum duel_weights {
  DUEL_AVERAGED = 0,  // their moving average, what `duel generate` draws with
  DUEL_RAW = 1        // as trained
} duel_weights;

#define DUEL_LATEST ((int64_t)-1)  // as a step: the newest checkpoint
#define DUEL_ANY_CLASS (-1)        // as a class: all of them in turn; the only one of a run without classes

// Opens the checkpoint of a step, or DUEL_LATEST, of the run in `folder`, which may be training meanwhile. `weights` is
// one of duel_weights, an int so that any value can be refused. `device` is
// "auto" (also NULL), "cpu", "cuda" or "cuda:N"; `threads` those of the CPU, 0 to 4096, where 0 is as many as this
// process may use. Sets *run, to NULL where it fails: USAGE for NULL, a negative step, a device or threads that are
// none, and for a run that draws no pictures, such as a classifier; DATA; DEVICE.
duel_status duel_open(const char* folder, int64_t step, int weights, const char* device, int threads, duel_run** run);

// Frees the run, with the texts it gave. NULL is allowed.
void duel_close(duel_run* run);

// What the run is; of NULL 0, or NULL for a text. Texts are UTF-8 and live as long as the run.
int duel_width(const duel_run* run);           // of a picture, in pixels
int duel_height(const duel_run* run);          // likewise
int duel_channels(const duel_run* run);        // 1 grey, 2 grey and opacity, 3 RGB, 4 RGB and opacity
int duel_class_count(const duel_run* run);     // 0 where it draws without classes
int64_t duel_step(const duel_run* run);        // of the checkpoint
const char* duel_preset(const duel_run* run);  // "conv-steady"
// By number, 0 to duel_class_count() - 1; NULL for any other.
const char* duel_class_name(const duel_run* run, int number);

// Draws pictures first..first+count-1 of a seed, of the class of this number or of DUEL_ANY_CLASS, where picture i is
// of class i mod duel_class_count(). A picture depends on the run, its seed, its number and its class alone, not on how
// many are drawn with it. `pixels`, [count,height,width,channels] of 0 to 255, has room for `bytes` bytes; those beyond
// the pictures stay as they are. The first draw after a change of the seed takes longer than further ones. USAGE: NULL,
// a first below 0, a count outside 1..10,000,000, first + count above 10^12, a class that the run has not, too little
// room. Where it fails after that (DEVICE, INTERNAL), what is in `pixels` means nothing.
duel_status duel_draw(duel_run* run, int class_number, uint64_t seed, int64_t first, int count, uint8_t* pixels,
                      size_t bytes);

// What the last failure in the calling thread was; "" where there was none. Valid until the next one there.
const char* duel_last_error(void);

#ifdef __cplusplus
}
#endif
