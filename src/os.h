/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call the library makes. Each function returns what the call
 * does, or a negative errno, and never -EINTR where repeating the call is
 * right. Tests replace single functions with the linker's --wrap, so nothing
 * here may be inlined and no other file may call the kernel.
 */
#ifndef FDL_OS_H
#define FDL_OS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>

/* Files */
int os_open(const char *path, int flags);
int os_close(int fd);
int os_dup(int fd);			/* close-on-exec */
/* From now on number stands for the file of fd, close-on-exec, for all threads
 * at once. The former file of number is closed. */
int os_dup_to(int fd, int number);
int os_stat_mode(int fd, mode_t *mode);
int os_inode(int fd, ino_t *inode);
int os_same_file(int fd, const char *path);	/* 1 yes, 0 no */
int os_path_mode(const char *path, mode_t *mode);
int os_directory(char *path, size_t size);	/* the current one */

struct os_file {
	dev_t dev;
	ino_t ino;
	mode_t mode;
	struct timespec changed;	/* its inode, which has a number that
					 * others may have had */
};

int os_file(const char *path, struct os_file *file);	/* lstat(2) */
int os_lock(int fd);			/* flock(2); -EAGAIN: another has it */
int os_get_flags(int fd);		/* F_GETFL */
int os_set_flags(int fd, int flags);	/* F_SETFL */
/* A lock of one byte that all who share the open file hold, and keep when fd is
 * closed; and whether there is one in a range, len 0: without an end. */
int os_lock_byte(int fd, off_t at, bool on);	/* F_OFD_SETLK */
int os_has_lock(int fd, off_t from, off_t len);	/* 1 yes, 0 no */
int os_ioctl(int fd, unsigned long request, void *arg);
int os_unlink(const char *path);
ssize_t os_read(int fd, void *buf, size_t len);
ssize_t os_write(int fd, const void *buf, size_t len);
ssize_t os_writev(int fd, const struct iovec *iov, int cnt);
/* The same of any fd, and it never blocks. -EOPNOTSUPP: the kernel cannot say
 * so of such a file, and nothing was moved. */
ssize_t os_readv_now(int fd, const struct iovec *iov, int cnt);
ssize_t os_writev_now(int fd, const struct iovec *iov, int cnt);

/* Sockets; all of them close-on-exec, sends raise no SIGPIPE */
int os_socket(int family, int type, int protocol);
int os_socketpair(int type, int fds[2]);	/* AF_UNIX */
int os_bind(int fd, const struct sockaddr *addr, socklen_t len);
int os_connect(int fd, const struct sockaddr *addr, socklen_t len);
int os_listen(int fd, int backlog);
int os_accept(int fd);			/* -EINTR is passed on */
int os_shutdown(int fd, int how);
int os_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int os_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int os_getsockopt(int fd, int level, int name, void *val, socklen_t *len);
int os_setsockopt(int fd, int level, int name, const void *val, socklen_t len);
ssize_t os_recv(int fd, void *buf, size_t len, int flags);
int os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);
ssize_t os_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t os_send(int fd, const void *buf, size_t len, int flags);
ssize_t os_sendmsg(int fd, const struct msghdr *msg, int flags);
int os_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags);

/* Waiting */
int os_poll(struct pollfd *fds, unsigned n, int timeout_ms); /* -EINTR is
								* passed on */
int os_epoll_create(void);
int os_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev);
int os_epoll_wait(int epfd, struct epoll_event *ev, int n, int timeout_ms);
int os_eventfd(void);			/* non-blocking, close-on-exec */
void os_raise(int eventfd, uint64_t n);
int os_timerfd(void);			/* CLOCK_MONOTONIC, as the eventfd */
int os_timerfd_set(int fd, unsigned us); /* once; 0: stop */
void os_nap(unsigned us);		/* a signal ends it early */
int64_t os_now_ms(void);		/* CLOCK_MONOTONIC */
int64_t os_now_us(void);		/* the same */

/* Memory and namespaces */
void *os_map(size_t len);		/* zeroed private pages, NULL: none */
void *os_map_sparse(size_t len);	/* the same, in small pages */
int os_map_fd(int fd, size_t len, void **mem);	/* shared, read and write */
int os_move_map(void *from, size_t len, void *to);	/* over what is there */
int os_map_over(int fd, size_t len, void *to);	/* the same of a file's start */
int os_memory_file(void);		/* memfd_create(2); empty */
void os_unmap(void *mem, size_t len);
long os_page_size(void);

enum {
	OS_RELEASE_SIZE = 65,	/* utsname.release of uname(2) */
};

void os_release(char release[OS_RELEASE_SIZE]);	/* "": unknown */

int os_setns(int fd, int nstype);

/* Who we are, and may have */
pid_t os_getpid(void);
uid_t os_geteuid(void);
unsigned long long os_fd_limit(void);	/* RLIMIT_NOFILE as it is */

#endif
