/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace of the test's own, and the devices in it. */
#ifndef TESTS_NETNS_H
#define TESTS_NETNS_H

#include <stdbool.h>

/* A test's exit status that means: not run, something is lacking. */
enum { EXIT_SKIPPED = 77 };

/*
 * Go on in a new network namespace in which IPv6 is off, so that no device
 * sends anything of itself. Without privileges the program is started anew in
 * a user namespace. Exits with EXIT_SKIPPED and a sentence if that is refused.
 */
void netns_enter(char *argv[]);

/* In the calling thread's namespace: no device sends anything of itself. */
void netns_ipv6_off(void);

/* Whether no TUN or TAP can be had here; says why. Some systems keep
 * /dev/net/tun from users. The other one exits with EXIT_SKIPPED then. */
bool netns_lacks_tun(void);
void netns_needs_tun(void);

/* Run a shell command, which must succeed. */
void netns_command(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Set a device up or down, and wait until it carries packets, or, its peer
 * being down, no longer does. The kernel tells of that by and by: who does not
 * wait for the one may be told of it after the other. */
void netns_set_up(const char *dev, bool up);
void netns_wait_running(const char *dev);
void netns_wait_stopped(const char *dev);

/* Let the device's kernel make super-packets of up to so many bytes, IPv4 and
 * IPv6. Returns false if the kernel knows no BIG TCP. */
bool netns_set_gso_max(const char *dev, unsigned bytes);

/* Does the device exist? */
bool netns_has(const char *dev);

/* Milliseconds of CLOCK_MONOTONIC, for bounded waits. */
long long netns_now_ms(void);

#endif
