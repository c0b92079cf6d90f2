/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as people's clients send them, and as nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_request.h"

#define HOST "Host: 192.0.2.2\r\n"
#define TEXT(text) (text), sizeof(text) - 1

static struct http_request r;

/* As one piece, and byte by byte: it is the same. Returns how many it took. */
static size_t feed(const char *bytes, size_t len)
{
	size_t taken, i;

	http_request_init(&r);
	for (i = 0; i < len && !r.status; i++)
		assert_int_equal(http_request_feed(&r, bytes + i, 1), 1);
	http_request_init(&r);
	taken = http_request_feed(&r, bytes, len);
	assert_int_equal(taken, i);
	return taken;
}

static void expect_whole(const char *text, const char *path)
{
	assert_int_equal(feed(text, strlen(text)), strlen(text));
	assert_int_equal(r.status, 200);
	assert_string_equal(r.path, path);
}

static void expect_refusal(const char *bytes, size_t len, unsigned status)
{
	feed(bytes, len);
	if (r.status != status)
		fail_msg("%u, not %u: %s", r.status, status, bytes);
	assert_false(r.keep);
}

static void targets_have_several_forms(void **state)
{
	static const char *const forms[][2] = {
		{ "/", "/" },
		{ "/stats.json", "/stats.json" },
		{ "/?a=/b?c", "/" },
		{ "//stats.json", "/stats.json" },
		{ "///", "/" },
		{ "/%73tats%2ejson", "/stats.json" },
		{ "/a%2", NULL },
		{ "/a%zz", NULL },
		{ "/a%00", NULL },
		{ "/a#b", NULL },
		{ "/?a#b", NULL },
		{ "http://192.0.2.2/stats.json", "/stats.json" },
		{ "HTTP://[fd00::2]:80/", "/" },
		{ "http://192.0.2.2", "/" },
		{ "http://192.0.2.2?a", "/" },
		{ "http:///", NULL },
		{ "http://a@b/", NULL },
		{ "https://192.0.2.2/", NULL },
		{ "stats.json", NULL },
		{ "*", NULL },
	};
	char text[200];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n",
			 forms[i][0]);
		if (forms[i][1])
			expect_whole(text, forms[i][1]);
		else
			expect_refusal(text, strlen(text), 400);
	}
}

static void a_long_path_is_none_of_ours(void **state)
{
	char text[400];

	(void)state;
	snprintf(text, sizeof(text), "GET /%0200d HTTP/1.0\r\n\r\n", 0);
	expect_whole(text, "");
}

static void lines_end_with_or_without_cr(void **state)
{
	(void)state;
	expect_whole("GET / HTTP/1.1\nHost: a\n\n", "/");
	expect_whole("\r\n\r\n\nGET / HTTP/1.1\r\n" HOST "\r\n", "/");
	expect_refusal(TEXT("GET /\r HTTP/1.1\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\r\n" HOST "\r\n"), 400);
}

static void what_is_no_request_is_refused(void **state)
{
	(void)state;
	expect_refusal(TEXT("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\nHost: \0\r\n\r\n"), 400);
	expect_refusal(TEXT("\0"), 400);
	expect_refusal(TEXT("GET /\r\n\r\n"), 400);
	expect_refusal(TEXT("GET  / HTTP/1.1\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT("GET / / HTTP/1.1\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT(" GET / HTTP/1.1\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT("GET\t/\tHTTP/1.1\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT("G(T / HTTP/1.1\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT("GET / HTTP/1.10\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT("GET / http/1.1\r\n" HOST "\r\n"), 400);
	expect_refusal(TEXT("PRI * HTTP/2.0\r\n\r\n"), 505);
	expect_refusal(TEXT("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\n" HOST "a: b\r\n c\r\n\r\n"),
		       400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\n" HOST "nothing\r\n\r\n"), 400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\n" HOST "a: \x01\r\n\r\n"), 400);
}

static void the_host_is_named_once(void **state)
{
	(void)state;
	expect_refusal(TEXT("GET / HTTP/1.1\r\n\r\n"), 400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\n" HOST HOST "\r\n"), 400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
	expect_whole("GET / HTTP/1.1\r\nhOST:[fd00::2]:80 \t\r\n\r\n", "/");
	expect_whole("GET / HTTP/1.1\r\nHost:\r\n\r\n", "/");
	expect_whole("GET / HTTP/1.0\r\n\r\n", "/");
}

static void who_wants_to_stay_says_so_by_version(void **state)
{
	(void)state;
	expect_whole("GET / HTTP/1.1\r\n" HOST "\r\n", "/");
	assert_true(r.keep && !r.old && !r.head);
	expect_whole("HEAD / HTTP/1.9\r\n" HOST "Connection: a, Close\r\n\r\n",
		     "/");
	assert_true(!r.keep && r.head);
	expect_whole("GET / HTTP/1.0\r\n\r\n", "/");
	assert_true(!r.keep && r.old);
	expect_whole("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "/");
	assert_true(r.keep && r.old);
}

static void other_methods_are_told_so(void **state)
{
	const char post[] = "POST / HTTP/1.1\r\n" HOST
			    "Content-Length: 3\r\n\r\nabcGET";

	(void)state;
	assert_int_equal(feed(TEXT(post)), sizeof(post) - 4);
	assert_int_equal(r.status, 405);
	assert_true(r.keep);
	feed(TEXT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"));
	assert_int_equal(r.status, 405);
	feed(TEXT("CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n"));
	assert_int_equal(r.status, 405);
	feed(TEXT("get / HTTP/1.1\r\n" HOST "\r\n"));
	assert_int_equal(r.status, 405);
}

static void bodies_are_read_over(void **state)
{
	const char *const chunks = "GET / HTTP/1.1\r\n" HOST
				   "Transfer-Encoding: Chunked\r\n\r\n"
				   "3;a=b\r\nabc\r\n0a\r\n0123456789\r\n"
				   "0\r\nTrailer: x\r\n\r\n";

	(void)state;
	expect_whole("GET / HTTP/1.1\r\n" HOST
		     "Content-Length: 5\r\n\r\n\r\n\r\n\n",
		     "/");
	expect_whole(chunks, "/");
	assert_true(r.keep);
	expect_whole("GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n"
		     "Content-Length: 0\r\n\r\n",
		     "/");
}

static void wrong_lengths_are_refused(void **state)
{
	static const char *const fields[] = {
		"Content-Length: 1\r\nContent-Length: 2\r\n",
		"Content-Length: -1\r\n",
		"Content-Length: 1, 1\r\n",
		"Content-Length:\r\n",
		"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
		"Transfer-Encoding: chunked\r\n\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n0x1\r\n",
		"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
		"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
	};
	char text[300];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		snprintf(text, sizeof(text), "GET / HTTP/1.1\r\n" HOST "%s\r\n",
			 fields[i]);
		expect_refusal(text, strlen(text), 400);
	}
	expect_refusal(TEXT("GET / HTTP/1.0\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n"),
		       400);
	expect_refusal(TEXT("GET / HTTP/1.1\r\n" HOST
			    "Transfer-Encoding: gzip, chunked\r\n\r\n"),
		       501);
	expect_refusal(TEXT("GET / HTTP/1.1\r\n" HOST
			    "Transfer-Encoding: chunked\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n"),
		       501);
}

static void a_body_may_wait_to_be_asked_for(void **state)
{
	(void)state;
	feed(TEXT("GET / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n"
		  "Content-Length: 3\r\n\r\n"));
	assert_int_equal(r.status, 0);
	assert_true(r.expects);
	/* None, none of a method that we have, of the old version, others. */
	expect_whole("GET / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n",
		     "/");
	assert_false(r.expects);
	expect_refusal(TEXT("PUT / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
			    "Content-Length: 3\r\n\r\n"),
		       405);
	expect_whole("GET / HTTP/1.0\r\nExpect: 100-continue\r\n"
		     "Content-Length: 1\r\n\r\na",
		     "/");
	expect_refusal(TEXT("GET / HTTP/1.1\r\n" HOST "Expect: a\r\n\r\n"),
		       417);
}

/* Each part has its bound, whoever goes on without an end. */
static void what_is_too_long_is_refused(void **state)
{
	enum { LEN = 2 * HTTP_BODY_MAX };
	static const struct {
		const char *start, *again;
		unsigned status;
	} parts[] = {
		{ "GET /", "a", 414 },
		{ "", "A", 414 },
		{ "", "\r\n", 400 },
		{ "GET / HTTP/1.1\r\na: ", "a", 431 },
		{ "GET / HTTP/1.1\r\n", "a: b\r\n", 431 },
		{ "GET / HTTP/1.1\r\n" HOST
		  "Transfer-Encoding: chunked\r\n\r\n",
		  "4\r\nabcd\r\n", 413 },
		{ "GET / HTTP/1.1\r\n" HOST
		  "Transfer-Encoding: chunked\r\n\r\n",
		  "ffffffffffffffffffffff", 413 },
		{ "GET / HTTP/1.1\r\n" HOST
		  "Transfer-Encoding: chunked\r\n\r\n0\r\n",
		  "a: b\r\n", 431 },
	};
	char *text = malloc(LEN + 200);
	size_t i, len;

	(void)state;
	assert_non_null(text);
	for (i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		len = (size_t)sprintf(text, "%s", parts[i].start);
		while (len < LEN)
			len += (size_t)sprintf(text + len, "%s",
					       parts[i].again);
		expect_refusal(text, len, parts[i].status);
	}
	free(text);
	expect_refusal(
		TEXT("GET / HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n"),
		413);
	expect_refusal(TEXT("GET / HTTP/1.1\r\n" HOST "Content-Length: "
			    "99999999999999999999999999999999\r\n\r\n"),
		       413);
	feed(TEXT("GET / HTTP/1.1\r\n" HOST "Content-Length: 65536\r\n\r\n"));
	assert_int_equal(r.status, 0);
}

/* The next begins where one ends. */
static void requests_come_one_behind_another(void **state)
{
	const char two[] = "GET / HTTP/1.1\r\n" HOST "\r\n"
			   "HEAD /b HTTP/1.1\r\n" HOST "\r\n";
	size_t first;

	(void)state;
	first = feed(TEXT(two));
	assert_int_equal(r.status, 200);
	expect_whole(two + first, "/b");
	assert_true(r.head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_have_several_forms),
		cmocka_unit_test(a_long_path_is_none_of_ours),
		cmocka_unit_test(lines_end_with_or_without_cr),
		cmocka_unit_test(what_is_no_request_is_refused),
		cmocka_unit_test(the_host_is_named_once),
		cmocka_unit_test(who_wants_to_stay_says_so_by_version),
		cmocka_unit_test(other_methods_are_told_so),
		cmocka_unit_test(bodies_are_read_over),
		cmocka_unit_test(wrong_lengths_are_refused),
		cmocka_unit_test(a_body_may_wait_to_be_asked_for),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(requests_come_one_behind_another),
	};

	return cmocka_run_group_tests_name("http request", tests, NULL, NULL);
}
