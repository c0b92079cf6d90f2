/* SPDX-License-Identifier: Apache-2.0 */
#include "bpf.h"

#include <linux/bpf.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int bpf_load(int returned)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = returned },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
		.insns = (uintptr_t)code,
		.insn_cnt = sizeof(code) / sizeof(*code),
		.license = (uintptr_t) "GPL",
	};

	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

int bpf_attach_tun(int fd, unsigned request, int returned)
{
	const int prog = bpf_load(returned);
	int err;

	if (prog < 0)
		return -1;
	err = ioctl(fd, request, &prog);
	close(prog);
	return err;
}
