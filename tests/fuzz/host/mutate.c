/* SPDX-License-Identifier: Apache-2.0 */
/* Mutations of programs: what is changed stays made of records. */
#include <string.h>

#include "../fuzz.h"
#include "program.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size,
				 const uint8_t *b, size_t b_size, uint8_t *out,
				 size_t max_size, unsigned seed);

static unsigned rnd(uint32_t *state, size_t below)
{
	*state = *state * 1664525 + 1013904223;
	return (unsigned)((*state >> 8) % (below ? below : 1));
}

/* Small numbers mean the most. */
static uint8_t any_byte(uint32_t *state)
{
	switch (rnd(state, 4)) {
	case 0:
		return 0;
	case 1:
		return (uint8_t)rnd(state, 8);
	case 2:
		return (uint8_t)(1 << rnd(state, 8));
	default:
		return (uint8_t)rnd(state, 256);
	}
}

static void any_record(uint8_t *record, uint32_t *state)
{
	unsigned i;

	record[0] = (uint8_t)(rnd(state, N_OPS) | (rnd(state, 4) ? 0 : HOLD));
	for (i = 1; i < RECORD; i++)
		record[i] = any_byte(state);
}

/* Make room for len bytes. Returns whether there is. */
static bool widen(uint8_t *data, size_t *size, size_t max, size_t at,
		  size_t len)
{
	if (*size + len > max)
		return false;
	memmove(data + at + len, data + at, *size - at);
	*size += len;
	return true;
}

static void repeat(uint8_t *data, size_t *size, size_t max, uint32_t *state)
{
	const size_t n = *size / RECORD;
	const size_t from = rnd(state, n) * (size_t)RECORD;
	const size_t to = rnd(state, n + 1) * (size_t)RECORD;
	size_t len = (1 + rnd(state, 8)) * (size_t)RECORD;
	uint8_t copy[8 * RECORD];

	if (len > *size - from)
		len = (*size - from) / RECORD * RECORD;
	memcpy(copy, data + from, len);
	if (widen(data, size, max, to, len))
		memcpy(data + to, copy, len);
}

static void erase(uint8_t *data, size_t *size, uint32_t *state)
{
	const size_t n = *size / RECORD;
	const size_t at = rnd(state, n) * (size_t)RECORD;
	size_t len = (1 + rnd(state, 3)) * (size_t)RECORD;

	if (n < 2)
		return;
	if (len > *size - at)
		len = *size - at;
	memmove(data + at, data + at + len, *size - at - len);
	*size -= len;
}

static void mutate(uint8_t *data, size_t *size, size_t max, uint32_t *state)
{
	const size_t at = rnd(state, *size / RECORD) * (size_t)RECORD;
	uint8_t record[RECORD];

	switch (rnd(state, 8)) {
	case 0:
	case 1:
		any_record(record, state);
		if (widen(data, size, max, at + RECORD, RECORD))
			memcpy(data + at + RECORD, record, RECORD);
		break;
	case 2:
		erase(data, size, state);
		break;
	case 3:
		repeat(data, size, max, state);
		break;
	case 4:
		data[at] ^= HOLD;
		break;
	case 5:
		LLVMFuzzerMutate(data + at, RECORD, RECORD);
		break;
	default:
		data[at + rnd(state, RECORD)] = any_byte(state);
		break;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
			       unsigned seed)
{
	uint32_t state = seed;
	unsigned n = 1 + rnd(&state, 4);

	size = size / RECORD * RECORD;
	if (!size) {
		if (max_size < RECORD)
			return 0;
		memset(data, 0, RECORD);
		size = RECORD;
	}
	while (n-- && size)
		mutate(data, &size, max_size, &state);
	return size;
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size,
				 const uint8_t *b, size_t b_size, uint8_t *out,
				 size_t max_size, unsigned seed)
{
	uint32_t state = seed;
	size_t n = rnd(&state, a_size / RECORD + 1) * (size_t)RECORD;
	size_t from = rnd(&state, b_size / RECORD + 1) * (size_t)RECORD;
	size_t m = b_size - from;

	n = n < max_size ? n : max_size;
	m = m < max_size - n ? m : max_size - n;
	memcpy(out, a, n);
	memcpy(out + n, b + from, m);
	return n + m;
}
