// DUEL_ASAN: 1 in a build with AddressSanitizer, of which g++ tells by a macro and clang++ by a feature; otherwise 0.
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define DUEL_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define DUEL_ASAN 1
#endif
#endif

#if !defined(DUEL_ASAN)
#define DUEL_ASAN 0
#endif
