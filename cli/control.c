/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cable.h"
#include "cli.h"
#include "connect.h"
#include "control_bind.h"

enum {
	MAX_CONNECTIONS = 16,
	PATIENCE_S = 10,	/* with a client that is silent */
	BODY_ROOM = 64,		/* of a PUT, with its NUL */
};

struct control {
	struct connect_report *report;
	struct cable *cable;
	struct MHD_Daemon *daemon;
	struct sockaddr_un address;
	struct stat file;	/* that was bound */
	int fd;			/* that listens; -1: none */
};

/* One of a client. */
struct request {
	char body[BODY_ROOM];
	size_t len;		/* of the whole body, also of what is not
				 * kept */
};

/* Whether the len bytes of text, which a NUL follows, are the words, with white
 * space between them or not. */
static bool is_json(const char *text, size_t len, const char *const words[])
{
	const char *end = text + len;

	for (; *words; words++) {
		text += strspn(text, " \t\r\n");
		if (strncmp(text, *words, strlen(*words)) != 0)
			return false;
		text += strlen(*words);
	}
	return text + strspn(text, " \t\r\n") == end;
}

static bool put_link(struct cable *cable, const char *body, size_t len)
{
	static const char *const on[] = { "{",	  "\"carrier\"", ":",
					  "true", "}",		 NULL };
	static const char *const off[] = { "{",	    "\"carrier\"", ":",
					   "false", "}",	   NULL };
	const bool plugged = is_json(body, len, on);

	if (!plugged && !is_json(body, len, off))
		return false;
	cable_plug(cable, plugged);
	return true;
}

/* A page, who writes it, and who takes what is put there: false for a text that
 * is not understood. */
static const struct page {
	const char *url;
	const char *type;
	void (*write)(struct connect_report *report, FILE *out);
	bool (*put)(struct cable *cable, const char *body, size_t len);
	const char *wants;	/* what can be put there */
} pages[] = {
	{ "/stats.json", "application/json", connect_report_json, NULL, NULL },
	{ "/metrics",
	  "application/openmetrics-text; version=1.0.0; charset=utf-8",
	  connect_report_metrics, NULL, NULL },
	{ "/link", "application/json", connect_report_links, put_link,
	  "put {\"carrier\": true} or {\"carrier\": false} here\n" },
};

enum {
	PAGES = sizeof(pages) / sizeof(*pages),
};

/* allow: the methods of a page that has not this one, or NULL. */
static enum MHD_Result answer(struct MHD_Connection *client, unsigned status,
			      const char *type, const char *allow, char *body,
			      size_t len)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(len, body,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (allow)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	result = MHD_queue_response(client, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *client, unsigned status,
			      const char *why)
{
	char *body = strdup(why);

	if (!body)
		return MHD_NO;
	return answer(client, status, "text/plain", NULL, body, strlen(body));
}

static enum MHD_Result refuse_method(struct MHD_Connection *client,
				     const struct page *page)
{
	char *body = strdup(page->put ? "there is GET, HEAD and PUT here\n" :
					"there is only GET and HEAD here\n");

	if (!body)
		return MHD_NO;
	return answer(client, MHD_HTTP_METHOD_NOT_ALLOWED, "text/plain",
		      page->put ? "GET, HEAD, PUT" : "GET, HEAD", body,
		      strlen(body));
}

/* The mode of the socket file says the same, to those who obey it. */
static bool may_ask(struct MHD_Connection *client)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		client, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED,
				&peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == getuid();
}

static enum MHD_Result show(const struct control *control,
			    struct MHD_Connection *client,
			    const struct page *page)
{
	char *body = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&body, &len);

	if (!out)
		return MHD_NO;
	page->write(control->report, out);
	if (fclose(out)) {
		free(body);
		return MHD_NO;
	}
	return answer(client, MHD_HTTP_OK, page->type, NULL, body, len);
}

/* The answer to a PUT is the page as it is then. */
static enum MHD_Result put(const struct control *control,
			   struct MHD_Connection *client,
			   const struct page *page,
			   const struct request *request)
{
	if (request->len >= sizeof(request->body))
		return refuse(client, MHD_HTTP_CONTENT_TOO_LARGE, page->wants);
	if (!page->put(control->cable, request->body, request->len))
		return refuse(client, MHD_HTTP_BAD_REQUEST, page->wants);
	return show(control, client, page);
}

static enum MHD_Result serve(const struct control *control,
			     struct MHD_Connection *client, const char *url,
			     const char *method, const struct request *request)
{
	const struct page *page = pages;

	if (!may_ask(client))
		return refuse(client, MHD_HTTP_FORBIDDEN,
			      "another user's wire\n");
	while (page < pages + PAGES && strcmp(url, page->url) != 0)
		page++;
	if (page == pages + PAGES)
		return refuse(client, MHD_HTTP_NOT_FOUND,
			      "there are /stats.json, /metrics and /link\n");
	if (!strcmp(method, MHD_HTTP_METHOD_GET) ||
	    !strcmp(method, MHD_HTTP_METHOD_HEAD))
		return show(control, client, page);
	if (page->put && !strcmp(method, MHD_HTTP_METHOD_PUT))
		return put(control, client, page, request);
	return refuse_method(client, page);
}

/* What is too long is not kept, and refused at its end. */
static void take_body(struct request *request, const char *data, size_t len)
{
	if (request->len + len < sizeof(request->body))
		memcpy(request->body + request->len, data, len);
	request->len += len;
}

/* Called when the headers are there, for each part of the body, and at its
 * end. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *client,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *len, void **seen)
{
	struct request *request = *seen;

	(void)version;
	if (!request) {
		*seen = calloc(1, sizeof(*request));
		return *seen ? MHD_YES : MHD_NO;
	}
	if (!*len)
		return serve(ctx, client, url, method, request);
	take_body(request, data, *len);
	*len = 0;
	return MHD_YES;
}

/* A URL with a NUL in it would end there, and be that of a page. */
static size_t unescape(void *ctx, struct MHD_Connection *client, char *url)
{
	size_t len = MHD_http_unescape(url);

	(void)ctx;
	(void)client;
	if (memchr(url, '\0', len)) {
		len = 0;
		*url = '\0';
	}
	return len;
}

static void forget(void *ctx, struct MHD_Connection *client, void **seen,
		   enum MHD_RequestTerminationCode why)
{
	(void)ctx;
	(void)client;
	(void)why;
	free(*seen);
	*seen = NULL;
}

/* What --user names has to remove it. */
static int hand_over(struct control *control)
{
	const struct sandbox_user *user = &control->report->options->user;
	const char *path = control->address.sun_path;

	if (lstat(path, &control->file) < 0)
		return errno;
	if (user->name && lchown(path, user->uid, user->gid) < 0)
		return errno;
	return 0;
}

static int listen_at(struct control *control)
{
	const struct sockaddr_un *address = &control->address;
	int err;

	control->fd = socket(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0)
		return errno;
	err = control_bind(control->fd, address);
	if (!err)
		err = hand_over(control);
	if (err)
		return err;
	return listen(control->fd, MAX_CONNECTIONS) < 0 ? errno : 0;
}

static int start(struct control *control)
{
	errno = 0;
	control->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, handle, control,
		MHD_OPTION_LISTEN_SOCKET, control->fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S,
		MHD_OPTION_NOTIFY_COMPLETED, forget, NULL,
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_END);
	if (control->daemon)
		return 0;
	return errno ? errno : ENOMEM;
}

/* bound: what fails is done to the file that was bound. */
static const char *way_out(int err, bool bound)
{
	if (err == EPERM && bound)
		return ": its file cannot be given to --user: fdlink needs "
		       "CAP_CHOWN for that, or start it as that user";
	switch (err) {
	case EADDRINUSE:
		return ": another program has it, or it is no socket: give "
		       "another path";
	case EWOULDBLOCK:
		return ": its directory is locked by another process: try "
		       "again";
	case ENAMETOOLONG:
		return ": give a path of at most 107 bytes";
	case ENOENT:
		return ": there is no such directory: make it first";
	case ENOTDIR:
		return ": its directory is a file: give another path";
	case EACCES:
	case EPERM:
	case EROFS:
		return ": give a path in a directory that you may write to";
	default:
		return cli_way_out(err);
	}
}

struct control *control_open(const char *path, struct connect_report *report,
			     struct cable *cable)
{
	struct control *control = calloc(1, sizeof(*control));
	int err;

	if (!control) {
		fprintf(stderr, "fdlink: --control %s: %s%s\n", path,
			strerror(ENOMEM), way_out(ENOMEM, false));
		return NULL;
	}
	control->report = report;
	control->cable = cable;
	control->fd = -1;
	control->address.sun_family = AF_UNIX;
	err = strlen(path) < sizeof(control->address.sun_path) ? 0 :
								 ENAMETOOLONG;
	if (!err) {
		memcpy(control->address.sun_path, path, strlen(path));
		err = listen_at(control);
	}
	if (!err)
		err = start(control);
	if (!err)
		return control;
	fprintf(stderr, "fdlink: --control %s: %s%s\n", path, strerror(err),
		way_out(err, control->file.st_ino != 0));
	control_close(control);
	return NULL;
}

/* Only the file that was bound goes: another program may have its own there. */
static void remove_file(const struct control *control)
{
	const char *path = control->address.sun_path;
	struct stat now;

	if (control->file.st_ino && !lstat(path, &now) &&
	    now.st_dev == control->file.st_dev &&
	    now.st_ino == control->file.st_ino)
		unlink(path);
}

void control_close(struct control *control)
{
	if (!control)
		return;
	remove_file(control);
	if (control->daemon)
		MHD_stop_daemon(control->daemon);
	else if (control->fd >= 0)
		close(control->fd);
	free(control);
}

static int epoll_fd(const struct control *control)
{
	return MHD_get_daemon_info(control->daemon, MHD_DAEMON_INFO_EPOLL_FD)
		->epoll_fd;
}

int control_fd(const struct control *control)
{
	struct pollfd fds[] = {
		{ .fd = control->fd, .events = POLLIN },
		{ .fd = epoll_fd(control), .events = POLLIN },
	};

	/* A daemon that has as many clients as it may does not look at the
	 * listener. */
	poll(fds, 2, 0);
	return fds[0].revents && fds[1].revents ? -1 : fds[1].fd;
}

void control_run(struct control *control)
{
	MHD_run(control->daemon);
}

bool control_holds(const struct control *control)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	return MHD_get_timeout(control->daemon, &ms) == MHD_YES && !ms;
}
