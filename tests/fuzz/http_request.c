/* SPDX-License-Identifier: Apache-2.0 */
/* Input: how many bytes are taken at once, then requests, one behind
 * another. */
#include "http_request.h"

#include <string.h>

#include "fuzz.h"

static void check(const struct http_request *r)
{
	MUST(memchr(r->path, 0, sizeof(r->path)));
	if (!r->status)
		return;
	MUST(r->status == 200 || (r->status >= 400 && r->status <= 505));
	MUST(r->status != 200 || r->begun);
	/* After what is wrong nobody knows where the next begins. */
	MUST(r->status == 200 || r->status == 405 || !r->keep);
}

/* Returns how many bytes the first request took, in pieces of so many. */
static size_t feed(struct http_request *r, const char *bytes, size_t len,
		   size_t piece)
{
	size_t at = 0;
	size_t n, taken;

	http_request_init(r);
	while (at < len && !r->status) {
		n = len - at < piece ? len - at : piece;
		taken = http_request_feed(r, bytes + at, n);
		MUST(taken <= n && (taken == n || r->status));
		at += taken;
	}
	check(r);
	return at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request whole, pieces;
	char *bytes;
	size_t at, n;

	if (!size)
		return 0;
	bytes = (char *)exact_copy(data + 1, size - 1);
	for (at = 0; at < size - 1; at += n) {
		n = feed(&whole, bytes + at, size - 1 - at, size);
		MUST(n);
		/* However it comes, it is the same. */
		MUST(feed(&pieces, bytes + at, size - 1 - at,
			  data[0] % 16 + 1U) == n);
		MUST(pieces.status == whole.status);
		MUST(pieces.keep == whole.keep && pieces.head == whole.head);
		MUST(!strcmp(pieces.path, whole.path));
		if (!whole.keep)
			break;
	}
	free(bytes);
	return 0;
}
