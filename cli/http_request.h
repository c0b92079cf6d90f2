/* SPDX-License-Identifier: Apache-2.0 */
/* A request of HTTP/1.0 or 1.1, read byte by byte (RFC 9112). Pure: bytes go
 * in, and what they ask for comes out. There is no memory except the struct. */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

enum {
	HTTP_LINE_MAX = 8000,		/* bytes, as RFC 9112, 3 asks for */
	HTTP_HEAD_MAX = 32 << 10,	/* all lines of a request */
	HTTP_BODY_MAX = 64 << 10,
	HTTP_PATH_MAX = 64,
};

struct http_request {
	unsigned status;	/* 0: there is more to come, 200: it is whole,
				 * else with what it is refused */
	bool begun;		/* a byte of it, empty lines aside, has come */
	bool head;		/* without a body in the answer */
	bool old;		/* HTTP/1.0 */
	bool keep;		/* the connection may go on */
	bool asks_keep;		/* and was asked to, in so many words */
	bool expects;		/* its body waits for "100 Continue" */
	/* Decoded, without the query; "": longer than any that we have. */
	char path[HTTP_PATH_MAX];
	/* private */
	unsigned state;
	unsigned hosts;
	unsigned codings;
	bool known_method;
	bool chunked;
	bool has_length;
	bool odd_expectation;
	bool asks_close;
	size_t left;		/* of the body, or of a chunk */
	size_t length;		/* of the body so far known */
	size_t head_len;
	size_t line_len;
	char line[HTTP_LINE_MAX + 1];
};

/* Begin a new request. */
void http_request_init(struct http_request *request);

/*
 * Take bytes up to the end of the request, or up to where it proves wrong;
 * request->status says which. Returns how many bytes were taken; while status
 * is 0 that is all of them.
 */
size_t http_request_feed(struct http_request *request, const char *bytes,
			 size_t len);

#endif
