/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is to outlive what it is mapped from. */
#ifndef FDL_IO_TAKEOVER_H
#define FDL_IO_TAKEOVER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Put private memory with the same bytes in the place of mem[0..size), whole
 * pages. alias is the same memory mapped elsewhere, or NULL: with it, what
 * another thread writes meanwhile is kept, except for a word that it sets to
 * something else and back. Where there is no memory for that, all stays.
 */
void takeover(uint8_t *mem, const uint8_t *alias, size_t size);

#endif
