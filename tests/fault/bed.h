/* SPDX-License-Identifier: Apache-2.0 */
/* A link of each kind, made again and again, whose other end is the test's. */
#ifndef TESTS_FAULT_BED_H
#define TESTS_FAULT_BED_H

#include "fault.h"
#include "link.h"

struct bed;

struct bed_kind {
	const char *name;
	const char *base;	/* of link_kinds: what its frames are like */
	const char *locator;	/* with the places of the bed's names; NULL: the
				 * endpoint is made over an fd of the test's */
	int (*make)(struct bed *b);	/* once; 0 or -errno */
	void (*begin)(struct bed *b);	/* before each opening, */
	void (*opened)(struct bed *b);	/* after it, */
	void (*meet)(struct bed *b);	/* again and again while there is no
					 * peer: sets link.peer if one has come;
					 * NULL: there is one all the time */
	void (*part)(struct bed *b);	/* once: the peer goes, or the device,
					 * and another comes */
	void (*end)(struct bed *b);	/* and when all is freed; may be NULL */
	enum fdl_mode mode;
	uint32_t flags;
	bool binds;		/* the library makes b->path */
	struct {
		enum fault what;	/* a call that always fails */
		unsigned on;
		int err;		/* 0: no more of them */
	} refused[4];
	bool forgiving;		/* another way is tried where one fails */
	bool lacking;		/* only what the machine lacks for a while
				 * fails: a queue that finds its device gone is
				 * alone with that else */
	bool outside;		/* another process opens the device anew */
	bool loaded;		/* there is a load, which it switches for */
	bool silent;		/* nothing comes, and what is sent is lost */
	unsigned most;		/* runs in a short walk */
};

/* The last has no name. */
extern const struct bed_kind bed_kinds[];

struct bed {
	const struct bed_kind *kind;
	struct link link;	/* peer, its other end; fd, -1: it is opened */
	int listener;		/* the test's; -1: none */
	char dir[32];
	char path[64], local[64];	/* of sockets, in it */
	char locator[160];
	unsigned hellos;	/* came before the frames: are no frames, and
				 * are dropped where they cannot be answered */
};

int bed_make(struct bed *b, const struct bed_kind *kind);
void bed_free(struct bed *b);

/* An endpoint over it, as fdl_open and fdl_endpoint_new. */
int bed_open(struct bed *b, struct fdl_endpoint **ep,
	     const struct fdl_options *opts);

/* Its frames stand behind their lengths. */
bool bed_is_stream(const struct bed *b);

/* Nothing of the last endpoint is left in the link. */
void bed_rest(struct bed *b);

/* Send the next frame from the other end; its number is b->link.rx_offered,
 * and its length goes by that. */
void bed_feed(struct bed *b);

/* Receive a frame there. Returns its length, or -EAGAIN after timeout_ms. */
ssize_t bed_collect(struct bed *b, uint8_t *buf, size_t size, int timeout_ms);

#endif
