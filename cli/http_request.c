/* SPDX-License-Identifier: Apache-2.0 */
#include "http_request.h"

#include <string.h>
#include <strings.h>

enum state {
	START,
	FIELDS,
	BODY,
	CHUNK_SIZE,
	CHUNK,
	CHUNK_END,
	TRAILERS,
};

/* Functions here that take or check a part of a request return 0, or the status
 * with which the request is refused. */

void http_request_init(struct http_request *request)
{
	memset(request, 0, offsetof(struct http_request, line));
}

static void finish(struct http_request *r)
{
	r->status = r->known_method ? 200 : 405;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (c | 32) - 'a' + 10;
	return -1;
}

/* Whether there is at least one byte, and each is a letter, a digit or one of
 * others. */
static bool consists_of(const char *s, size_t len, const char *others)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (!is_alnum(s[i]) && (!s[i] || !strchr(others, s[i])))
			return false;
	}
	return len;
}

static bool is_token(const char *s, size_t len)
{
	return consists_of(s, len, "!#$%&'*+-.^_`|~");
}

static bool is_host(const char *s, size_t len)
{
	return !len || consists_of(s, len, "-._~%!$&'()*+,;=:[]");
}

static bool is_named(const char *s, size_t len, const char *name)
{
	return strlen(name) == len && !strncasecmp(s, name, len);
}

/* Whether there is no control character except tabs. */
static bool is_text(const char *s)
{
	for (; *s; s++) {
		if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
			return false;
	}
	return true;
}

/* Decode one character of a path. Returns how many bytes of s it took: 1, or 3
 * for an escape, or 0: the escape is wrong. */
static size_t decode(const char *s, char *to)
{
	int high, low;

	*to = *s;
	if (*s != '%')
		return 1;
	high = hex_value(s[1]);
	low = high < 0 ? -1 : hex_value(s[2]);
	if (low < 0)
		return 0;
	*to = (char)(high << 4 | low);
	return *to ? 3 : 0;
}

/* Several slashes at the start count as one: a client that puts a path behind
 * an address which ends in a slash means one. */
static bool set_path(struct http_request *r, const char *path)
{
	size_t len = 0;
	size_t n;
	char c;

	while (path[0] == '/' && path[1] == '/')
		path++;
	for (; *path && *path != '?'; path += n) {
		n = decode(path, &c);
		if (!n || *path == '#')
			return false;
		if (len < HTTP_PATH_MAX - 1)
			r->path[len] = c;
		len++;
	}
	if (len > HTTP_PATH_MAX - 1)
		r->path[0] = '\0';
	return !strchr(path, '#');
}

static bool set_target(struct http_request *r, const char *target)
{
	size_t len;

	if (*target == '/')
		return set_path(r, target);
	if (strncasecmp(target, "http://", 7))
		return false;
	target += 7;
	len = strcspn(target, "/?#");
	if (!len || !is_host(target, len))
		return false;
	return target[len] == '/' ? set_path(r, target + len) :
				    set_path(r, "/") && !strchr(target, '#');
}

static unsigned set_version(struct http_request *r, const char *version)
{
	if (strncmp(version, "HTTP/", 5) || !is_digit(version[5]) ||
	    version[6] != '.' || !is_digit(version[7]) || version[8])
		return 400;
	r->old = version[7] == '0';
	return version[5] == '1' ? 0 : 505;
}

static unsigned take_request_line(struct http_request *r)
{
	char *method = r->line, *target, *version;
	unsigned status;

	target = strchr(method, ' ');
	version = target ? strchr(target + 1, ' ') : NULL;
	if (!version || !is_text(method) || strchr(method, '\t'))
		return 400;
	*target++ = '\0';
	*version++ = '\0';
	if (!*target || !is_token(method, strlen(method)))
		return 400;
	status = set_version(r, version);
	if (status)
		return status;
	r->head = !strcmp(method, "HEAD");
	r->known_method = r->head || !strcmp(method, "GET");
	if (r->known_method && !set_target(r, target))
		return 400;
	r->state = FIELDS;
	return 0;
}

static unsigned take_length(struct http_request *r, const char *value,
			    size_t len)
{
	size_t length = 0;
	size_t i;

	for (i = 0; i < len && is_digit(value[i]); i++) {
		if (length <= HTTP_BODY_MAX)
			length = length * 10 + (size_t)(value[i] - '0');
	}
	if (!len || i < len || (r->has_length && r->length != length))
		return 400;
	r->has_length = true;
	r->length = length;
	return 0;
}

static void take_connection(struct http_request *r, const char *value)
{
	size_t len;

	for (; *value; value += len) {
		value += strspn(value, ", \t");
		len = strcspn(value, ", \t");
		r->asks_close |= is_named(value, len, "close");
		r->asks_keep |= is_named(value, len, "keep-alive");
	}
}

static unsigned take_known(struct http_request *r, const char *name,
			   size_t name_len, const char *value, size_t len)
{
	if (is_named(name, name_len, "Host"))
		return r->hosts++ || !is_host(value, len) ? 400 : 0;
	if (is_named(name, name_len, "Content-Length"))
		return take_length(r, value, len);
	if (is_named(name, name_len, "Transfer-Encoding"))
		r->chunked = !r->codings++ && is_named(value, len, "chunked");
	if (is_named(name, name_len, "Connection"))
		take_connection(r, value);
	if (is_named(name, name_len, "Expect")) {
		r->expects = is_named(value, len, "100-continue");
		r->odd_expectation |= !r->expects;
	}
	return 0;
}

static unsigned take_field(struct http_request *r)
{
	const size_t name_len = strcspn(r->line, ":");
	char *value = r->line + name_len, *end;

	/* A field that goes on in a further line, which begins with a blank, is
	 * refused here too. */
	if (!*value || !is_token(r->line, name_len) || !is_text(value))
		return 400;
	value++;
	value += strspn(value, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*end = '\0';
	return take_known(r, r->line, name_len, value, (size_t)(end - value));
}

static unsigned judge(const struct http_request *r)
{
	if (!r->old && !r->hosts)
		return 400;
	if (r->codings && (r->has_length || r->old))
		return 400;
	if (r->codings && !r->chunked)
		return 501;
	if (r->length > HTTP_BODY_MAX)
		return 413;
	return r->odd_expectation && !r->old ? 417 : 0;
}

static unsigned end_head(struct http_request *r)
{
	const unsigned status = judge(r);

	if (status)
		return status;
	r->keep = !r->asks_close && (!r->old || r->asks_keep);
	r->left = r->length;
	r->state = r->chunked ? CHUNK_SIZE : BODY;
	r->expects = r->expects && !r->old && (r->chunked || r->left);
	/* The client may send the body all the same, or not: what comes next
	 * cannot be told. So the request is refused now. */
	if (r->expects && !r->known_method)
		return 405;
	if (!r->chunked && !r->left)
		finish(r);
	return 0;
}

static unsigned take_chunk_size(struct http_request *r)
{
	const char *s = r->line;
	size_t size = 0;

	for (; hex_value(*s) >= 0; s++) {
		if (size <= HTTP_BODY_MAX)
			size = size << 4 | (size_t)hex_value(*s);
	}
	if (s == r->line || (*s && !strchr("; \t", *s)) || !is_text(s))
		return 400;
	r->length += size;
	if (r->length > HTTP_BODY_MAX)
		return 413;
	r->left = size;
	r->state = size ? CHUNK : TRAILERS;
	return 0;
}

static unsigned take_line(struct http_request *r)
{
	const bool empty = !*r->line;

	if (r->state == START)
		return empty ? 0 : take_request_line(r);
	if (r->state == FIELDS)
		return empty ? end_head(r) : take_field(r);
	if (r->state == CHUNK_SIZE)
		return take_chunk_size(r);
	if (r->state == CHUNK_END) {
		r->state = CHUNK_SIZE;
		return empty ? 0 : 400;
	}
	if (empty)
		finish(r);
	return 0;
}

static unsigned too_long(const struct http_request *r)
{
	if (r->state == START)
		return r->begun ? 414 : 400;
	return r->state == FIELDS || r->state == TRAILERS ? 431 : 413;
}

/* A line may end without CR (RFC 9112, 2.2). */
static unsigned take(struct http_request *r, char c)
{
	r->begun |= c != '\r' && c != '\n';
	if (!c)
		return 400;
	if (r->head_len == HTTP_HEAD_MAX)
		return too_long(r);
	r->head_len++;
	if (c == '\n') {
		if (r->line_len && r->line[r->line_len - 1] == '\r')
			r->line_len--;
		r->line[r->line_len] = '\0';
		r->line_len = 0;
		return take_line(r);
	}
	if (r->line_len == HTTP_LINE_MAX)
		return too_long(r);
	r->line[r->line_len++] = c;
	return 0;
}

static size_t skip(struct http_request *r, size_t len)
{
	const size_t n = len < r->left ? len : r->left;

	r->left -= n;
	if (r->left)
		return n;
	if (r->state == CHUNK)
		r->state = CHUNK_END;
	else
		finish(r);
	return n;
}

size_t http_request_feed(struct http_request *r, const char *bytes, size_t len)
{
	unsigned refused;
	size_t at = 0;

	while (at < len && !r->status) {
		if (r->state == BODY || r->state == CHUNK) {
			at += skip(r, len - at);
			continue;
		}
		refused = take(r, bytes[at++]);
		if (!refused)
			continue;
		/* Behind bytes that are wrong, the start of the next request
		 * cannot be found. */
		r->status = refused;
		r->keep = false;
	}
	return at;
}
