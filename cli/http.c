/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status page, port 80: HTTP/1.1 (RFC 9112).
 *
 * A connection stays open for a client that asks for that, or that sends
 * several requests at once. Other clients come for one page: we close first, so
 * that TIME-WAIT is on our side and the client's port is free again.
 *
 * Requests are taken one by one. While an answer has no room in lwIP's send
 * buffer, later requests wait here or in lwIP, and the window closes.
 *
 * A connection that is to end is closed on our side only, and what the peer
 * still sends is thrown away for a while: after a full close such data would
 * get a reset, which could overtake the answer.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/sys.h>

#include "host.h"
#include "http_request.h"
#include "service.h"

enum {
	HTTP_PORT = 80,
	MAX_REQUESTS = 100,	/* of a connection */
	MAX_WRITE = 1024,	/* bytes that lwIP takes or refuses as one */
	/* Milliseconds. */
	PATIENCE = 10 * 1000,	/* for a request, or for the next to begin */
	STUCK = 20 * 1000,	/* an answer of which nothing is taken */
	LINGER = 5 * 1000,	/* from the last that came */
	LINGER_ALL = 30 * 1000,
};

struct http {
	const struct host_status *status;
	struct http_request request;
	unsigned requests;
	struct pbuf *in;	/* NULL: all is taken */
	char *out;		/* NULL: all is written */
	size_t out_len, out_at;
	u32_t due;		/* when to lose patience, of sys_now() */
	u32_t end;		/* then also if more comes */
	bool stays;		/* there is, or will be, more than one
				 * request */
	bool eof;
	bool closing;		/* no more is said */
	bool lost;		/* there was no memory for an answer */
};

static const struct page {
	const char *path;
	const char *type;
	void (*write)(const struct host_status *status, FILE *out);
} pages[] = {
	{ "/", "text/html; charset=utf-8", status_html },
	{ "/stats.json", "application/json", status_json },
};

static const struct page *find_page(const char *path)
{
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		if (!strcmp(pages[i].path, path))
			return &pages[i];
	}
	return NULL;
}

static const char *reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 408, "Request Timeout" },
		{ 413, "Content Too Large" },
		{ 414, "URI Too Long" },
		{ 417, "Expectation Failed" },
		{ 431, "Request Header Fields Too Large" },
		{ 501, "Not Implemented" },
		{ 505, "HTTP Version Not Supported" },
	};
	size_t i;

	for (i = 0; reasons[i].status != status; i++)
		;
	return reasons[i].reason;
}

/* Make the body of an answer; *body is the caller's to free. Returns its
 * length, or 0: no memory. */
static size_t make_body(const struct http *http, const struct page *page,
			unsigned status, char **body)
{
	size_t len = 0;
	FILE *out;

	*body = NULL;
	out = open_memstream(body, &len);
	if (!out)
		return 0;
	if (page)
		page->write(http->status, out);
	else
		fprintf(out, "%u %s\n", status, reason(status));
	return fclose(out) ? 0 : len;
}

static const char *connection(const struct http_request *r)
{
	if (!r->keep)
		return "Connection: close\r\n";
	return r->old ? "Connection: keep-alive\r\n" : "";
}

static void write_head(const struct http_request *r, const struct page *page,
		       unsigned status, size_t body_len, FILE *out)
{
	const time_t now = time(NULL);
	struct tm tm;
	char date[40];

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT",
		 gmtime_r(&now, &tm));
	fprintf(out,
		"HTTP/1.1 %u %s\r\n"
		"Date: %s\r\n"
		"Cache-Control: no-store\r\n"
		"Content-Type: %s\r\n"
		"Content-Length: %zu\r\n"
		"%s%s\r\n",
		status, reason(status), date,
		page ? page->type : "text/plain; charset=utf-8", body_len,
		status == 405 ? "Allow: GET, HEAD\r\n" : "", connection(r));
}

/* Make the answer to the request. Returns false: no memory. */
static bool make_answer(struct http *http, unsigned status)
{
	const struct http_request *r = &http->request;
	const struct page *page = NULL;
	size_t body_len;
	char *body;
	FILE *out;

	if (status == 200)
		page = find_page(r->path);
	if (status == 200 && !page)
		status = 404;
	body_len = make_body(http, page, status, &body);
	out = body_len ? open_memstream(&http->out, &http->out_len) : NULL;
	if (!out) {
		free(body);
		return false;
	}
	write_head(r, page, status, body_len, out);
	if (!r->head)
		fwrite(body, 1, body_len, out);
	free(body);
	http->out_at = 0;
	return !fclose(out);
}

static void allow(struct http *http, u32_t ms)
{
	http->due = sys_now() + ms;
}

static bool is_past(u32_t due)
{
	return (s32_t)(sys_now() - due) >= 0;
}

static void dispose(struct http *http)
{
	if (http->in)
		pbuf_free(http->in);
	free(http->out);
	free(http);
}

static err_t hang_up(struct http *http, struct tcp_pcb *pcb)
{
	dispose(http);
	return service_close(pcb);
}

/* Reset the connection without an answer. The error callback, which lwIP would
 * call, is taken off before. */
static err_t give_up(struct http *http, struct tcp_pcb *pcb)
{
	dispose(http);
	tcp_err(pcb, NULL);
	tcp_abort(pcb);
	return ERR_ABRT;
}

/* Write as much of the answer as the send buffer takes. */
static void push(struct http *http, struct tcp_pcb *pcb)
{
	size_t n;

	while (http->out_at < http->out_len) {
		n = LWIP_MIN(http->out_len - http->out_at, (size_t)MAX_WRITE);
		n = LWIP_MIN(n, service_room(pcb));
		if (!n || tcp_write(pcb, http->out + http->out_at, (u16_t)n,
				    TCP_WRITE_FLAG_COPY))
			break;
		http->out_at += n;
		allow(http, STUCK);
	}
	tcp_output(pcb);
	if (http->out_at < http->out_len)
		return;
	free(http->out);
	http->out = NULL;
}

static void throw_away(struct http *http, struct tcp_pcb *pcb)
{
	if (!http->in)
		return;
	tcp_recved(pcb, http->in->tot_len);
	pbuf_free(http->in);
	http->in = NULL;
	allow(http, LINGER);
}

static void answer(struct http *http, unsigned status)
{
	http->stays |= http->request.asks_keep || http->in;
	if (++http->requests == MAX_REQUESTS || !http->stays)
		http->request.keep = false;
	http->lost = !make_answer(http, status);
	allow(http, STUCK);
}

/* The answer has been written: end the connection, or begin the next
 * request. */
static void go_on(struct http *http, struct tcp_pcb *pcb)
{
	if (http->request.keep) {
		http_request_init(&http->request);
		allow(http, PATIENCE);
		return;
	}
	http->closing = true;
	http->end = sys_now() + LINGER_ALL;
	allow(http, LINGER);
	tcp_shutdown(pcb, 0, 1);
}

static void continue_body(struct http *http, struct tcp_pcb *pcb)
{
	static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";

	http->request.expects = false;
	/* If the line cannot be written, nothing is lost: the client sends the
	 * body after a while all the same. */
	tcp_write(pcb, line, sizeof(line) - 1, 0);
	tcp_output(pcb);
}

/* Feed what has arrived to the request, up to the end of the request. */
static void take(struct http *http, struct tcp_pcb *pcb)
{
	struct http_request *r = &http->request;
	const bool begun = r->begun;
	size_t n;

	n = http_request_feed(r, http->in->payload, http->in->len);
	http->in = pbuf_free_header(http->in, (u16_t)n);
	tcp_recved(pcb, (u16_t)n);
	if (r->begun && !begun)
		allow(http, PATIENCE);
	if (r->expects && !r->status && !http->in)
		continue_body(http, pcb);
}

/* The peer has closed its side in the middle of a request. */
static void refuse_part(struct http_request *r)
{
	r->status = 400;
	r->keep = false;
}

/* Do what comes next for a connection. Returns whether there may be more to
 * do. */
static bool step(struct http *http, struct tcp_pcb *pcb)
{
	struct http_request *r = &http->request;

	if (http->closing) {
		throw_away(http, pcb);
		return false;
	}
	if (http->out) {
		push(http, pcb);
		if (http->out)
			return false;
		go_on(http, pcb);
		return true;
	}
	if (http->in)
		take(http, pcb);
	else if (http->eof && r->begun)
		refuse_part(r);
	else
		return false;
	if (r->status)
		answer(http, r->status);
	return !http->lost;
}

static err_t advance(struct http *http, struct tcp_pcb *pcb)
{
	while (step(http, pcb))
		;
	if (http->lost)
		return give_up(http, pcb);
	if (http->eof && !http->out)
		return hang_up(http, pcb);
	return ERR_OK;
}

/* What this callback refuses, lwIP keeps and offers again. */
static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct http *http = arg;

	LWIP_UNUSED_ARG(err);
	if (p && http->in)
		return ERR_MEM;
	if (p)
		http->in = p;
	else
		http->eof = true;
	return advance(http, pcb);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	LWIP_UNUSED_ARG(len);
	return advance(arg, pcb);
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
	struct http *http = arg;

	if (http->closing && (is_past(http->due) || is_past(http->end)))
		return hang_up(http, pcb);
	if (!is_past(http->due))
		return advance(http, pcb);
	if (http->out)
		return give_up(http, pcb);
	if (http->requests && !http->request.begun)
		return hang_up(http, pcb);
	http->request.keep = false;
	answer(http, 408);
	return advance(http, pcb);
}

static void on_err(void *arg, err_t err)
{
	LWIP_UNUSED_ARG(err);
	dispose(arg);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct http *http;

	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	service_admit(pcb);
	http = calloc(1, sizeof(*http));
	if (!http)
		return ERR_MEM;
	http->status = arg;
	http_request_init(&http->request);
	allow(http, PATIENCE);
	tcp_arg(pcb, http);
	tcp_recv(pcb, on_recv);
	tcp_sent(pcb, on_sent);
	tcp_poll(pcb, on_poll, 1);
	tcp_err(pcb, on_err);
	return ERR_OK;
}

int http_start(const struct host_status *status)
{
	/* The cast takes const away only on the way through lwIP: nobody writes
	 * to *status. */
	return service_listen(HTTP_PORT, on_accept, (void *)(uintptr_t)status);
}
