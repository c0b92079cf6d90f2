/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts and merges what the lines of standard input say, for an oracle that is
 * no C program:
 *
 *	cut LINK_LEN GSO_TYPE GSO_SIZE CSUM_START CSUM_OFFSET FRAME
 *	merge LINK_LEN FRAME...
 *
 * GSO_TYPE is a number of enum fdl_gso, and a frame is in hexadecimal digits.
 * Cutting answers with the segments, one on a line. Merging answers with a line
 * for each packet that comes out: how many it is made of, then GSO_TYPE,
 * GSO_SIZE, CSUM_START and CSUM_OFFSET, and the frame. "end" ends an answer,
 * and "refused" is one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fdlink/offload.h>

enum {
	MOST = 64,			/* frames of a line */
	LONGEST = 70000,
};

static uint8_t frames[MOST][LONGEST], out[LONGEST];

static void show(const uint8_t *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	putchar('\n');
}

/* Returns how many bytes there are. */
static size_t read_hex(uint8_t *to, const char *text)
{
	size_t n = 0;
	unsigned byte;

	for (; n < LONGEST && sscanf(text, "%2x", &byte) == 1; text += 2)
		to[n++] = (uint8_t)byte;
	return n;
}

static unsigned next_number(char **rest)
{
	const char *word = strtok_r(NULL, " ", rest);

	return word ? (unsigned)strtoul(word, NULL, 0) : 0;
}

static void cut(char *rest)
{
	const unsigned link_len = next_number(&rest);
	struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL };
	struct fdl_segmenter s;
	struct iovec iov;
	size_t len;
	int n;

	off.gso = (uint8_t)next_number(&rest);
	off.gso_size = (uint16_t)next_number(&rest);
	off.csum_start = (uint16_t)next_number(&rest);
	off.csum_offset = (uint16_t)next_number(&rest);
	len = read_hex(frames[0], strtok_r(NULL, " ", &rest));
	iov = (struct iovec){ frames[0], len };
	if (fdl_offload_check(frames[0], len, len, link_len, &off) ||
	    fdl_segment_start(&s, &iov, 1, link_len, &off, 0)) {
		puts("refused");
		return;
	}
	while ((n = fdl_segment_next(&s, out, sizeof(out), NULL)) > 0)
		show(out, (size_t)n);
	puts("end");
}

static void merge(char *rest)
{
	static struct fdl_coalesce_packet packets[MOST];
	static struct fdl_coalescer c;
	static struct iovec iov[MOST];
	const unsigned link_len = next_number(&rest);
	struct fdl_coalesced got;
	const char *word;
	int n, len;

	fdl_coalesce_init(&c,
			  FDL_COALESCE_TCP | FDL_COALESCE_UDP |
				  FDL_COALESCE_UDP_TUNNEL |
				  FDL_COALESCE_IP_TUNNEL,
			  0, 0);
	for (n = 0; n < MOST && (word = strtok_r(NULL, " ", &rest)); n++) {
		iov[n] = (struct iovec){ frames[n], read_hex(frames[n], word) };
		packets[n] = (struct fdl_coalesce_packet){
			.iov = &iov[n],
			.cnt = 1,
			.link_len = (uint8_t)link_len,
		};
		fdl_coalesce_add(&c, &packets[n]);
	}
	while (fdl_coalesce_next(&c, &got)) {
		len = fdl_coalesced_copy(&got, out, sizeof(out));
		printf("%u %u %u %u %u ", got.count, got.off.gso,
		       got.off.gso_size, got.off.csum_start,
		       got.off.csum_offset);
		show(out, len > 0 ? (size_t)len : 0);
	}
	puts("end");
}

int main(void)
{
	char *line = NULL, *rest;
	const char *word;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		line[strcspn(line, "\n")] = 0;
		word = strtok_r(line, " ", &rest);
		if (word && !strcmp(word, "cut"))
			cut(rest);
		else if (word && !strcmp(word, "merge"))
			merge(rest);
		else
			puts("refused");
		fflush(stdout);
	}
	free(line);
	return EXIT_SUCCESS;
}
