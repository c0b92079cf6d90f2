/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a receive side, or of one of the lives of its link. */
#ifndef FDL_RX_END_H
#define FDL_RX_END_H

#include "rx/rx.h"

/*
 * Returns why the side has ended; 0: it has not. An end that was found behind
 * packets is told here first. Until this call the fd stays readable, because it
 * is at its end.
 */
int rx_tell_end(struct rx *rx);

/* Another life of the link begins: forget all that belongs to the former
 * one. */
void rx_renew(struct rx *rx);

/* End the side with that result or, if io.lasts, this life of the link. text is
 * as of shared_error. */
void rx_end(struct rx *rx, int result, const char *text);

/* The same, except that no other life can follow on this fd. */
void rx_end_for_good(struct rx *rx, int result, const char *text);

#endif
