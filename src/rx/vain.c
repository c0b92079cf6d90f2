/* SPDX-License-Identifier: Apache-2.0 */
#include "rx/vain.h"

#include "kind/kind.h"
#include "os.h"
#include "rx/framing.h"

enum {
	PATIENCE = 2,		/* calls in a row that found nothing */
	ASK_MS = 1,		/* at least between two looks: a caller may call
				 * without a pause */
	MAX_NOTICES = 64,	/* thrown away in one look */
	SURE = 2,		/* looks that find a shutdown until it counts */
};

int vain_error(const struct rx *rx)
{
	socklen_t len = sizeof(int);
	int err = 0;

	os_getsockopt(rx->io->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return -err;
}

/* Notices are times of sending, which a caller has asked for, and ICMP errors.
 * A caller that reads them itself has had time to do so by now. */
static void drop_notices(const struct rx *rx)
{
	struct msghdr msg = { 0 };
	int i = 0;

	while (i < MAX_NOTICES &&
	       os_recvmsg(rx->io->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
		i++;
}

bool vain_note(struct rx *rx)
{
	struct pollfd pfd = { .fd = rx->io->fd, .events = POLLRDHUP };
	int64_t now;

	if (++rx->vain < PATIENCE || !rx->io->socket)
		return false;
	now = os_now_ms();
	if (now < rx->vain_at)
		return false;
	rx->vain_at = now + ASK_MS;
	framing_rebind(rx);
	if (os_poll(&pfd, 1, 0) <= 0)
		return false;
	if (pfd.revents & POLLERR && rx->io->error_queue)
		drop_notices(rx);
	return pfd.revents & POLLRDHUP && rx->io->kind->shuts_down &&
	       ++rx->shut >= SURE;
}
