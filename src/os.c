/* SPDX-License-Identifier: Apache-2.0 */
#include "os.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/fs.h>

#include "libc.h"
#include "os_result.h"

static ssize_t sized(ssize_t r)
{
	return r < 0 ? -errno : r;
}

int os_open(const char *path, int flags)
{
	return result(open(path, flags | O_CLOEXEC));
}

int os_close(int fd)
{
	/* Not repeated after EINTR: Linux has closed the fd by then, and a
	 * second close might close somebody else's. */
	return result(close(fd));
}

int os_dup(int fd)
{
	return result(fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

int os_dup_to(int fd, int number)
{
	return result(dup3(fd, number, O_CLOEXEC));
}

int os_stat_mode(int fd, mode_t *mode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*mode = st.st_mode;
	return 0;
}

int os_inode(int fd, ino_t *inode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*inode = st.st_ino;
	return 0;
}

int os_same_file(int fd, const char *path)
{
	struct stat a, b;

	if (fstat(fd, &a) < 0 || stat(path, &b) < 0)
		return -errno;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int os_path_mode(const char *path, mode_t *mode)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	*mode = st.st_mode;
	return 0;
}

int os_directory(char *path, size_t size)
{
	return getcwd(path, size) ? 0 : -errno;
}

int os_file(const char *path, struct os_file *file)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return -errno;
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->mode = st.st_mode;
	file->changed = st.st_ctim;
	return 0;
}

int os_lock(int fd)
{
	return result(flock(fd, LOCK_EX | LOCK_NB));
}

int os_get_flags(int fd)
{
	return result(fcntl(fd, F_GETFL));
}

int os_set_flags(int fd, int flags)
{
	return result(fcntl(fd, F_SETFL, flags));
}

int os_lock_byte(int fd, off_t at, bool on)
{
	struct flock lock = { .l_type = on ? F_WRLCK : F_UNLCK,
			      .l_whence = SEEK_SET,
			      .l_start = at,
			      .l_len = 1 };

	return result(fcntl(fd, F_OFD_SETLK, &lock));
}

/* Asked as a process, for the open file is in the way of no lock of its own. */
int os_has_lock(int fd, off_t from, off_t len)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_whence = SEEK_SET,
			      .l_start = from,
			      .l_len = len };

	if (fcntl(fd, F_GETLK, &lock) < 0)
		return -errno;
	return lock.l_type != F_UNLCK;
}

int os_ioctl(int fd, unsigned long request, void *arg)
{
	return result(ioctl(fd, (IOCTL_REQUEST)request, arg));
}

int os_unlink(const char *path)
{
	return result(unlink(path));
}

ssize_t os_read(int fd, void *buf, size_t len)
{
	ssize_t r;

	do {
		r = sized(read(fd, buf, len));
	} while (r == -EINTR);
	return r;
}

/* Who confines itself may have left out these calls, which are not old. */
static ssize_t now_result(ssize_t r)
{
	return r == -ENOSYS || r == -EPERM ? -EOPNOTSUPP : r;
}

ssize_t os_readv_now(int fd, const struct iovec *iov, int cnt)
{
	ssize_t r;

	do {
		r = sized(syscall(SYS_preadv2, fd, iov, cnt, -1L, -1L,
				  RWF_NOWAIT));
	} while (r == -EINTR);
	return now_result(r);
}

ssize_t os_writev_now(int fd, const struct iovec *iov, int cnt)
{
	ssize_t r;

	do {
		r = sized(syscall(SYS_pwritev2, fd, iov, cnt, -1L, -1L,
				  RWF_NOWAIT));
	} while (r == -EINTR);
	return now_result(r);
}

ssize_t os_write(int fd, const void *buf, size_t len)
{
	ssize_t r;

	do {
		r = sized(write(fd, buf, len));
	} while (r == -EINTR);
	return r;
}

ssize_t os_writev(int fd, const struct iovec *iov, int cnt)
{
	ssize_t r;

	do {
		r = sized(writev(fd, iov, cnt));
	} while (r == -EINTR);
	return r;
}

int os_socket(int family, int type, int protocol)
{
	return result(socket(family, type | SOCK_CLOEXEC, protocol));
}

int os_socketpair(int type, int fds[2])
{
	return result(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
}

int os_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	return result(bind(fd, addr, len));
}

int os_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	/* By number, as the thread sanitizer takes connect(2) for what makes
	 * the fd: a send beside it would be a data race. */
	return result((int)syscall(SYS_connect, fd, addr, len));
}

int os_listen(int fd, int backlog)
{
	return result(listen(fd, backlog));
}

int os_accept(int fd)
{
	return result(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

int os_shutdown(int fd, int how)
{
	return result(shutdown(fd, how));
}

int os_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	return result(getsockname(fd, addr, len));
}

int os_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	return result(getpeername(fd, addr, len));
}

int os_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	return result(getsockopt(fd, level, name, val, len));
}

int os_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	return result(setsockopt(fd, level, name, val, len));
}

ssize_t os_recv(int fd, void *buf, size_t len, int flags)
{
	ssize_t r;

	do {
		r = sized(recv(fd, buf, len, flags));
	} while (r == -EINTR);
	return r;
}

int os_recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	int r;

	do {
		r = result(recvmmsg(fd, msg, n, (MMSG_FLAGS)flags, NULL));
	} while (r == -EINTR);
	return r;
}

ssize_t os_recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t r;

	do {
		r = sized(recvmsg(fd, msg, flags));
	} while (r == -EINTR);
	return r;
}

ssize_t os_send(int fd, const void *buf, size_t len, int flags)
{
	ssize_t r;

	do {
		r = sized(send(fd, buf, len, flags | MSG_NOSIGNAL));
	} while (r == -EINTR);
	return r;
}

ssize_t os_sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t r;

	do {
		r = sized(sendmsg(fd, msg, flags | MSG_NOSIGNAL));
	} while (r == -EINTR);
	return r;
}

int os_sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
	int r;

	do {
		r = result(sendmmsg(fd, msg, n,
				    (MMSG_FLAGS)(flags | MSG_NOSIGNAL)));
	} while (r == -EINTR);
	return r;
}

void *os_map(size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

void *os_map_sparse(size_t len)
{
	void *mem = os_map(len);

	if (mem)
		madvise(mem, len, MADV_NOHUGEPAGE);
	return mem;
}

int os_map_fd(int fd, size_t len, void **mem)
{
	*mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return *mem == MAP_FAILED ? -errno : 0;
}

int os_move_map(void *from, size_t len, void *to)
{
	void *at = mremap(from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	return at == MAP_FAILED ? -errno : 0;
}

int os_map_over(int fd, size_t len, void *to)
{
	void *at = mmap(to, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			fd, 0);

	return at == MAP_FAILED ? -errno : 0;
}

int os_memory_file(void)
{
	return result(memfd_create("fdlink", MFD_CLOEXEC));
}

void os_release(char release[OS_RELEASE_SIZE])
{
	struct utsname name;

	_Static_assert(sizeof(name.release) == OS_RELEASE_SIZE,
		       "a release fits");
	release[0] = '\0';
	if (!uname(&name))
		memcpy(release, name.release, sizeof(name.release));
}

long os_page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

void os_unmap(void *mem, size_t len)
{
	munmap(mem, len);
}

int os_setns(int fd, int nstype)
{
	return result(setns(fd, nstype));
}

pid_t os_getpid(void)
{
	return getpid();
}

uid_t os_geteuid(void)
{
	return geteuid();
}

unsigned long long os_fd_limit(void)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}
