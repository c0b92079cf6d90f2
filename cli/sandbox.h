/* SPDX-License-Identifier: Apache-2.0 */
/* Give up what a wire does not need, once its links are open. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

/* Whom to be from then on. */
struct sandbox_user {
	const char *name;	/* NULL: who the process is */
	uid_t uid;
	gid_t gid;
};

/* What this build cannot give up, as " libcap-ng libseccomp"; "": nothing. */
const char *sandbox_missing(void);

/* Look a user up. False: there is none of that name. */
bool sandbox_find_user(struct sandbox_user *user, const char *name);

/*
 * Become user, with no capability and no way to get one back, and with the
 * system calls alone that a wire makes: others fail with EPERM. connects: one
 * of them is connect(2), for links that are joined anew when a peer comes back.
 * For all threads of the process. The process has the links' fds already.
 * Returns 0. Errors: what the kernel said, *what says to which part.
 */
int sandbox_enter(const struct sandbox_user *user, bool connects,
		  const char **what);

/*
 * Become a process that opens devices (opener.h): of its capabilities it keeps
 * CAP_NET_ADMIN and CAP_NET_RAW, and of the system calls those that open, set
 * up and hand over. It can neither read nor write a file, nor make one.
 * Returns 0. Errors: what the kernel said.
 */
int sandbox_enter_opener(void);

#endif
