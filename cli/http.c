/* SPDX-License-Identifier: Apache-2.0 */
/* The status page, port 80: one request to a connection (RFC 1945). */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "service.h"

enum {
	HTTP_PORT = 80,
	MAX_REQUEST = 4096,
	PATIENCE = 20,		/* half seconds for the request to be sent */
};

struct http {
	const struct host_status *status;
	int age;		/* half seconds */
	size_t len;
	char request[MAX_REQUEST + 1];
};

static const struct page {
	const char *path;
	const char *type;
	void (*write)(const struct host_status *status, FILE *out);
} pages[] = {
	{ "/", "text/html; charset=utf-8", status_html },
	{ "/stats.json", "application/json", status_json },
};

/* The page a request line asks for, or NULL and the answer's status. */
static const struct page *find_page(const char *path, const char **error)
{
	const size_t len = strcspn(path, " ?\r\n");
	size_t i;

	for (i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		if (strlen(pages[i].path) == len &&
		    !memcmp(path, pages[i].path, len))
			return &pages[i];
	}
	*error = "404 Not Found";
	return NULL;
}

static const struct page *parse(const char *request, bool *head,
				const char **error)
{
	*head = !strncmp(request, "HEAD ", 5);
	if (*head)
		return find_page(request + 5, error);
	if (!strncmp(request, "GET ", 4))
		return find_page(request + 4, error);
	*error = "501 Not Implemented";
	return NULL;
}

/* *body is the caller's to free. Returns its length. */
static size_t make_body(const struct http *http, const struct page *page,
			const char *error, char **body)
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
		fprintf(out, "%s\n", error);
	fclose(out);
	return len;
}

static void answer(const struct http *http, struct tcp_pcb *pcb)
{
	const char *error = "200 OK";
	const struct page *page;
	size_t body_len;
	char header[160];
	bool head;
	char *body;
	int len;

	page = parse(http->request, &head, &error);
	body_len = make_body(http, page, error, &body);
	len = snprintf(header, sizeof(header),
		       "HTTP/1.0 %s\r\n"
		       "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
		       error, page ? page->type : "text/plain", body_len);
	if (!tcp_write(pcb, header, (u16_t)len, TCP_WRITE_FLAG_COPY) && !head)
		tcp_write(pcb, body, (u16_t)body_len, TCP_WRITE_FLAG_COPY);
	free(body);
}

static err_t hang_up(struct http *http, struct tcp_pcb *pcb)
{
	free(http);
	return service_close(pcb);
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct http *http = arg;
	u16_t n;

	LWIP_UNUSED_ARG(err);
	if (!p)
		return hang_up(http, pcb);
	n = pbuf_copy_partial(p, http->request + http->len,
			      (u16_t)(MAX_REQUEST - http->len), 0);
	http->len += n;
	http->request[http->len] = '\0';
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	if (!strstr(http->request, "\r\n\r\n") && http->len < MAX_REQUEST)
		return ERR_OK;
	answer(http, pcb);
	return hang_up(http, pcb);
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
	struct http *http = arg;

	return ++http->age > PATIENCE ? hang_up(http, pcb) : ERR_OK;
}

static void on_err(void *arg, err_t err)
{
	LWIP_UNUSED_ARG(err);
	free(arg);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct http *http;

	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	http = calloc(1, sizeof(*http));
	if (!http)
		return ERR_MEM;
	http->status = arg;
	tcp_arg(pcb, http);
	tcp_recv(pcb, on_recv);
	tcp_poll(pcb, on_poll, 1);
	tcp_err(pcb, on_err);
	return ERR_OK;
}

int http_start(const struct host_status *status)
{
	/* lwIP hands it back as it got it: nobody writes to it. */
	return service_listen(HTTP_PORT, on_accept, (void *)(uintptr_t)status);
}
