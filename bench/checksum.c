/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The speed of the checksum, beside that of reading the same memory with the
 * widest portable loads: checksum [CPU]. Both touch every byte; what the sum
 * costs on top is what could be won. Medians of 15 passes, taken in turns.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <fdlink/offload.h>

enum { PASSES = 15, BYTES_PER_PASS = 256 << 20, MAX_SIZE = 65536 };

struct contender {
	const char *name;
	uint64_t (*run)(const uint8_t *p, size_t len);
	double ns[PASSES];
};

static uint64_t run_sum(const uint8_t *p, size_t len)
{
	return fdl_checksum_sum(p, len, 0);
}

static uint64_t run_read(const uint8_t *p, size_t len)
{
	uint64_t __attribute__((vector_size(16))) a = { 0 }, b = { 0 }, v, w;

	for (; len >= 32; len -= 32, p += 32) {
		memcpy(&v, p, 16);
		memcpy(&w, p + 16, 16);
		a |= v;
		b |= w;
	}
	a |= b;
	return a[0] | a[1];
}

/* Ten lines: what the sum is. */
static uint64_t run_simple(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;
	uint16_t word;

	for (; len >= 2; len -= 2, p += 2) {
		memcpy(&word, p, sizeof(word));
		sum += word;
	}
	return sum;
}

static double now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static double one_pass(const struct contender *c, const uint8_t *p, size_t len)
{
	const size_t rounds = BYTES_PER_PASS / 4 / (len + 64);
	const double start = now_ns();
	uint64_t result;
	size_t i;

	for (i = 0; i < rounds; i++) {
		result = c->run(p, len);
		/* so that the call is neither dropped nor moved */
		__asm__ volatile("" : : "r"(result) : "memory");
	}
	return (now_ns() - start) / (double)rounds;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const uint8_t *p, size_t len)
{
	struct contender c[] = {
		{ .name = "fdl_checksum_sum", .run = run_sum },
		{ .name = "plain read", .run = run_read },
		{ .name = "16 bits at a time", .run = run_simple },
	};
	const size_t n = sizeof(c) / sizeof(c[0]);
	size_t i;
	int pass;

	for (pass = 0; pass < PASSES; pass++)
		for (i = 0; i < n; i++)
			c[i].ns[pass] = one_pass(&c[i], p, len);
	for (i = 0; i < n; i++) {
		qsort(c[i].ns, PASSES, sizeof(double), compare);
		printf("%6zu bytes  %-18s %8.1f ns  %6.1f GB/s\n", len,
		       c[i].name, c[i].ns[PASSES / 2],
		       (double)len / c[i].ns[PASSES / 2]);
	}
}

int main(int argc, char **argv)
{
	static const size_t sizes[] = { 64, 1500, MAX_SIZE };
	static uint8_t memory[MAX_SIZE + 16];
	cpu_set_t set;
	size_t i;

	CPU_ZERO(&set);
	CPU_SET((size_t)(argc > 1 ? atoi(argv[1]) : 0), &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("not pinned");
	for (i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)(i * 7);
	/* as a frame lies behind a virtio and a link header: at no round
	 * place */
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		measure(memory + 8, sizes[i]);
	return 0;
}
