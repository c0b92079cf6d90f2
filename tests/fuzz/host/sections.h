/* SPDX-License-Identifier: Apache-2.0 */
/* Included before all else in what bed.c puts back to how it was: the linker
 * gives these sections a beginning and an end. */
#pragma clang section bss = "stack_bss" data = "stack_data"
