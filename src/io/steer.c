/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program of classic BPF, because the kernel lets anybody load that who may
 * open the socket. Classic BPF knows no hash that fits: SKF_AD_RXHASH is
 * whatever the device or the sender left in the packet, often nothing, and not
 * the same in both directions. So the program looks the flow up itself. A load
 * beyond the end of the packet would end the program with socket 0: no load
 * does that.
 *
 * X is where the next header begins. The data of a packet that is received
 * begin at the network header, behind the tag that the kernel took out. Those
 * of a packet that is sent begin at the link header; it is looked at by offsets
 * that the kernel counts from the network header.
 */
#include "io/steer.h"

#include <linux/if_packet.h>
#include <stdbool.h>

#include "proto/eth.h"

enum {
	TAG_LEN = 4,
	MAX_TAGS = 2,
	IP4_LEN = 20,
	IP4_FRAGMENT = 0x3fff,
	IP6_LEN = 40,
	MAX_EXTENSIONS = 3,
	EXTENSION_LEN = 8,
	EXTENSION_HOP = 0,
	EXTENSION_ROUTING = 43,
	EXTENSION_DEST = 60,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	PORTS_LEN = 4,
};

/* Factors of the hash: odd, without a pattern, and so that the second does not
 * undo the first. */
static const uint32_t spread_addresses = 0x85ebca6b;
static const uint32_t spread_flows = 0x9e3779b1;

/* The program's variables. */
enum {
	BASE,
	HASH,
	NEXT,
};

/* The places that the program jumps to, forward only. */
enum label {
	NO_MORE_TAGS,
	IP6,
	TRANSPORT,
	CHOOSE,
	LABELS,
};

struct assembler {
	struct steer_program *p;
	unsigned at[LABELS];
};

static void op(struct assembler *as, unsigned code, uint32_t k)
{
	as->p->code[as->p->n++] = (struct sock_filter){ .code = (uint16_t)code,
							.k = k };
}

static void calculate(struct assembler *as, unsigned how, uint32_t k)
{
	op(as, BPF_ALU | how | BPF_K, k);
}

/* Skip so many instructions if the test is true, and so many if it is not. */
static void test(struct assembler *as, unsigned how, uint32_t k, unsigned yes,
		 unsigned no)
{
	op(as, BPF_JMP | how | BPF_K, k);
	as->p->code[as->p->n - 1].jt = (uint8_t)yes;
	as->p->code[as->p->n - 1].jf = (uint8_t)no;
}

static void go(struct assembler *as, enum label label)
{
	op(as, BPF_JMP | BPF_JA, label);
}

static void place(struct assembler *as, enum label label)
{
	as->at[label] = as->p->n;
}

static void resolve(struct assembler *as)
{
	struct sock_filter *insn;
	unsigned i;

	for (i = 0; i < as->p->n; i++) {
		insn = &as->p->code[i];
		if (insn->code == (BPF_JMP | BPF_JA))
			insn->k = as->at[insn->k] - i - 1;
	}
}

/* Jump if the packet has fewer bytes. The value of A is lost. */
static void go_unless_there_are(struct assembler *as, unsigned bytes,
				enum label label)
{
	op(as, BPF_LD | BPF_W | BPF_LEN, 0);
	op(as, BPF_ALU | BPF_SUB | BPF_X, 0);
	test(as, BPF_JGE, bytes, 1, 0);
	go(as, label);
}

static void go_unless_one_of(struct assembler *as, const uint16_t *values,
			     unsigned n, enum label label)
{
	while (n-- > 0)
		test(as, BPF_JEQ, values[n], n + 1, 0);
	go(as, label);
}

static void load_at_x(struct assembler *as, unsigned size, uint32_t offset)
{
	op(as, BPF_LD | size | BPF_IND, offset);
}

/* Add A to X. A is then what is in NEXT. */
static void advance(struct assembler *as)
{
	op(as, BPF_ALU | BPF_ADD | BPF_X, 0);
	op(as, BPF_MISC | BPF_TAX, 0);
	op(as, BPF_LD | BPF_MEM, NEXT);
}

static void advance_by(struct assembler *as, uint32_t bytes)
{
	op(as, BPF_ST, NEXT);
	op(as, BPF_LD | BPF_IMM, bytes);
	advance(as);
}

static void add_to_hash(struct assembler *as)
{
	op(as, BPF_LDX | BPF_MEM, HASH);
	op(as, BPF_ALU | BPF_ADD | BPF_X, 0);
	op(as, BPF_ST, HASH);
}

static void start(struct assembler *as)
{
	op(as, BPF_LD | BPF_IMM, 0);
	op(as, BPF_ST, HASH);
	op(as, BPF_LDX | BPF_IMM, 0);
	op(as, BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PKTTYPE);
	test(as, BPF_JEQ, PACKET_OUTGOING, 0, 1);
	op(as, BPF_LDX | BPF_IMM, (uint32_t)SKF_NET_OFF);
}

static void skip_tags(struct assembler *as)
{
	static const uint16_t tags[] = { ETH_TYPE_VLAN, ETH_TYPE_SERVICE_VLAN };
	int i;

	op(as, BPF_LD | BPF_W | BPF_ABS,
	   (uint32_t)SKF_AD_OFF + SKF_AD_PROTOCOL);
	for (i = 0; i < MAX_TAGS; i++) {
		go_unless_one_of(as, tags, 2, NO_MORE_TAGS);
		go_unless_there_are(as, TAG_LEN, CHOOSE);
		load_at_x(as, BPF_H, 2);
		advance_by(as, TAG_LEN);
	}
	place(as, NO_MORE_TAGS);
}

/* Add the two addresses: their sum is the same in both directions. */
static void hash_addresses(struct assembler *as, uint32_t offset,
			   unsigned words)
{
	op(as, BPF_STX, BASE);
	for (; words > 0; words--, offset += 4) {
		load_at_x(as, BPF_W, offset);
		add_to_hash(as);
		op(as, BPF_LDX | BPF_MEM, BASE);
	}
	calculate(as, BPF_MUL, spread_addresses);
	op(as, BPF_ST, HASH);
}

static void parse_ip4(struct assembler *as)
{
	go_unless_there_are(as, IP4_LEN, CHOOSE);
	hash_addresses(as, 12, 2);
	load_at_x(as, BPF_H, 6);
	test(as, BPF_JSET, IP4_FRAGMENT, 0, 1);
	go(as, CHOOSE);
	load_at_x(as, BPF_B, 9);
	op(as, BPF_ST, NEXT);
	load_at_x(as, BPF_B, 0);
	calculate(as, BPF_AND, 0xf);
	calculate(as, BPF_LSH, 2);
	advance(as);
	go(as, TRANSPORT);
}

/* Skip extension headers. A fragment header is none of those. */
static void skip_extensions(struct assembler *as)
{
	static const uint16_t kinds[] = { EXTENSION_HOP, EXTENSION_ROUTING,
					  EXTENSION_DEST };
	int i;

	for (i = 0; i < MAX_EXTENSIONS; i++) {
		go_unless_one_of(as, kinds, 3, TRANSPORT);
		go_unless_there_are(as, EXTENSION_LEN, CHOOSE);
		load_at_x(as, BPF_B, 0);
		op(as, BPF_ST, NEXT);
		load_at_x(as, BPF_B, 1);
		calculate(as, BPF_ADD, 1);
		calculate(as, BPF_LSH, 3);
		advance(as);
	}
}

static void parse_ip6(struct assembler *as)
{
	place(as, IP6);
	go_unless_there_are(as, IP6_LEN, CHOOSE);
	hash_addresses(as, 8, 8);
	load_at_x(as, BPF_B, 6);
	advance_by(as, IP6_LEN);
	skip_extensions(as);
}

static void hash_ports(struct assembler *as)
{
	static const uint16_t protos[] = { PROTO_TCP, PROTO_UDP };

	place(as, TRANSPORT);
	go_unless_one_of(as, protos, 2, CHOOSE);
	go_unless_there_are(as, PORTS_LEN, CHOOSE);
	op(as, BPF_STX, BASE);
	load_at_x(as, BPF_H, 0);
	add_to_hash(as);
	op(as, BPF_LDX | BPF_MEM, BASE);
	load_at_x(as, BPF_H, 2);
	add_to_hash(as);
}

/* Make A the number of the queue. */
static void choose_queue(struct assembler *as, unsigned queues)
{
	place(as, CHOOSE);
	op(as, BPF_LD | BPF_MEM, HASH);
	calculate(as, BPF_MUL, spread_flows);
	calculate(as, BPF_RSH, 16);
	calculate(as, BPF_MUL, queues);
	calculate(as, BPF_RSH, 16);
}

static bool is_any_in_a_ring(unsigned queues, const uint8_t member[])
{
	unsigned i = 0;

	while (i < queues && member[i] == i)
		i++;
	return i < queues;
}

/* A is the queue's number. For a packet that is too long for a ring, return it:
 * it is the plain socket's, too. */
static void except_big_ones(struct assembler *as)
{
	op(as, BPF_MISC | BPF_TAX, 0);
	op(as, BPF_LD | BPF_W | BPF_LEN, 0);
	test(as, BPF_JGT, STEER_LONGEST, 0, 2);
	op(as, BPF_MISC | BPF_TXA, 0);
	op(as, BPF_RET | BPF_A, 0);
	op(as, BPF_MISC | BPF_TXA, 0);
}

/* Return the socket of the queue: that of the queue's own number, unless member
 * says otherwise. */
static void choose_socket(struct assembler *as, unsigned queues,
			  const uint8_t member[])
{
	unsigned i;

	if (is_any_in_a_ring(queues, member))
		except_big_ones(as);
	for (i = 0; i < queues; i++) {
		if (member[i] == i)
			continue;
		test(as, BPF_JEQ, i, 0, 1);
		op(as, BPF_RET | BPF_K, member[i]);
	}
	op(as, BPF_RET | BPF_A, 0);
}

static void make_by_flow(struct assembler *as, unsigned queues,
			 const uint8_t member[])
{
	static const uint16_t ip4 = ETH_TYPE_IP4;

	start(as);
	skip_tags(as);
	test(as, BPF_JEQ, ETH_TYPE_IP6, 0, 1);
	go(as, IP6);
	go_unless_one_of(as, &ip4, 1, CHOOSE);
	parse_ip4(as);
	parse_ip6(as);
	hash_ports(as);
	choose_queue(as, queues);
	choose_socket(as, queues, member);
	resolve(as);
}

void steer_make(struct steer_program *p, unsigned queues,
		const uint8_t member[])
{
	struct assembler as = { .p = p };

	p->n = 0;
	if (queues > 1)
		return make_by_flow(&as, queues, member);
	op(&as, BPF_LD | BPF_IMM, 0);
	choose_socket(&as, 1, member);
}
