// A program in C99 that embeds Tributary, for a test in C++ to run.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

// Plays one source into a sink and ends; a negative TRIBUTARY_E_*, or the tracks that were played.
int c_program_plays(const char* source, const char* audio);

#ifdef __cplusplus
}
#endif
