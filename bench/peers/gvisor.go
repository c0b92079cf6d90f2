// SPDX-License-Identifier: Apache-2.0

// The peer written in Go: gVisor's fdbased endpoint and its netstack, from
// Debian's golang-gvisor-gvisor-dev.
//
//	gvisor rx SIZE MODE         count what arrives on fd 3
//	gvisor tx SIZE BATCH        send batches of frames to fd 3
//	gvisor host ADDRESS ADDRESS6 GSO FD
//	                            TCP services 7, 9 and 19 on an fd
//
// The count is kept in the first 8 bytes of fd 4.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"unsafe"

	"gvisor.dev/gvisor/pkg/bufferv2"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/fdbased"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

const (
	linkFD    = 3
	sharedFD  = 4
	nic       = 1
	ethertype = 0x88b5
	linkAddr  = tcpip.LinkAddress("\x02\x00\x00\x00\x00\x02")
)

var modes = map[string]fdbased.PacketDispatchMode{
	"readv":       fdbased.Readv,
	"recvmmsg":    fdbased.RecvMMsg,
	"packet_mmap": fdbased.PacketMMap,
}

func die(what string, err interface{}) {
	fmt.Fprintf(os.Stderr, "gvisor: %s: %v\n", what, err)
	os.Exit(1)
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		die(text, err)
	}
	return n
}

func counter() *uint64 {
	page, err := syscall.Mmap(sharedFD, 0, os.Getpagesize(),
		syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		die("mmap", err)
	}
	return (*uint64)(unsafe.Pointer(&page[0]))
}

func endpoint(fd int, o fdbased.Options) stack.LinkEndpoint {
	o.FDs = []int{fd}
	o.EthernetHeader = true
	o.Address = linkAddr
	ep, err := fdbased.New(&o)
	if err != nil {
		die("fdbased", err)
	}
	return ep
}

type sink struct{ count *uint64 }

func (s sink) DeliverNetworkPacket(tcpip.NetworkProtocolNumber,
	stack.PacketBufferPtr) {
	*s.count++
}

func (s sink) DeliverLinkPacket(tcpip.NetworkProtocolNumber,
	stack.PacketBufferPtr, bool) {
}

func rx(size int, mode string) {
	m, ok := modes[mode]
	if !ok {
		die(mode, "no such mode")
	}
	ep := endpoint(linkFD, fdbased.Options{
		MTU:                uint32(size - header.EthernetMinimumSize),
		PacketDispatchMode: m,
	})
	ep.Attach(sink{counter()})
	ep.Wait()
}

func batch(size, n int) stack.PacketBufferList {
	var list stack.PacketBufferList

	for i := 0; i < n; i++ {
		pkt := stack.NewPacketBuffer(stack.PacketBufferOptions{
			ReserveHeaderBytes: header.EthernetMinimumSize,
			Payload: bufferv2.MakeWithData(
				make([]byte, size-header.EthernetMinimumSize)),
		})
		pkt.EgressRoute.LocalLinkAddress = linkAddr
		pkt.EgressRoute.RemoteLinkAddress = "\x02\x00\x00\x00\x00\x01"
		pkt.NetworkProtocolNumber = ethertype
		list.PushBack(pkt)
	}
	return list
}

func wait() {
	fds := []pollfd{{fd: linkFD, events: 4}}
	syscall.Syscall(syscall.SYS_POLL, uintptr(unsafe.Pointer(&fds[0])), 1,
		^uintptr(0))
}

type pollfd struct {
	fd              int32
	events, revents int16
}

func tx(size, n int) {
	ep := endpoint(linkFD, fdbased.Options{
		MTU: uint32(size - header.EthernetMinimumSize),
	})
	count := counter()
	for {
		list := batch(size, n)
		for _, pkt := range list.AsSlice() {
			ep.AddHeader(pkt)
		}
		sent, err := ep.WritePackets(list)
		*count += uint64(sent)
		list.DecRef()
		if err != nil {
			wait()
		}
	}
}

type netAddress struct {
	number tcpip.NetworkProtocolNumber
	ip     tcpip.Address
	prefix int
}

func addAddress(s *stack.Stack, a netAddress) {
	if err := s.AddProtocolAddress(nic, tcpip.ProtocolAddress{
		Protocol: a.number,
		AddressWithPrefix: tcpip.AddressWithPrefix{
			Address: a.ip, PrefixLen: a.prefix},
	}, stack.AddressProperties{}); err != nil {
		die("AddProtocolAddress", err)
	}
}

func open(fd int, addresses []netAddress, gso int) *stack.Stack {
	s := stack.New(stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{
			arp.NewProtocol, ipv4.NewProtocol,
			ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{
			tcp.NewProtocol},
	})
	o := fdbased.Options{MTU: 1500, PacketDispatchMode: fdbased.RecvMMsg}
	// As runsc sets it: checksums of what it sends go with the GSO header.
	if gso > 0 {
		o.GSOMaxSize = uint32(gso)
		o.RXChecksumOffload = true
	}
	if err := s.CreateNIC(nic, endpoint(fd, o)); err != nil {
		die("CreateNIC", err)
	}
	for _, a := range addresses {
		addAddress(s, a)
	}
	s.SetRouteTable([]tcpip.Route{
		{Destination: header.IPv4EmptySubnet, NIC: nic},
		{Destination: header.IPv6EmptySubnet, NIC: nic}})
	sack := tcpip.TCPSACKEnabled(true)
	s.SetTransportProtocolOption(tcp.ProtocolNumber, &sack)
	cc := tcpip.CongestionControlOption("cubic")
	s.SetTransportProtocolOption(tcp.ProtocolNumber, &cc)
	rcv := tcpip.TCPReceiveBufferSizeRangeOption{
		Min: 4096, Default: 1 << 20, Max: 8 << 20}
	s.SetTransportProtocolOption(tcp.ProtocolNumber, &rcv)
	snd := tcpip.TCPSendBufferSizeRangeOption{
		Min: 4096, Default: 1 << 20, Max: 8 << 20}
	s.SetTransportProtocolOption(tcp.ProtocolNumber, &snd)
	return s
}

func echo(c net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		if err != nil {
			break
		}
		if _, err := c.Write(buf[:n]); err != nil {
			break
		}
	}
	c.Close()
}

func discard(c net.Conn) {
	buf := make([]byte, 256<<10)
	for {
		if _, err := c.Read(buf); err != nil {
			break
		}
	}
	c.Close()
}

func chargen(c net.Conn) {
	buf := make([]byte, 128<<10)
	for {
		if _, err := c.Write(buf); err != nil {
			break
		}
	}
	c.Close()
}

func serve(s *stack.Stack, a netAddress, port uint16,
	service func(net.Conn), running *int32) {
	l, err := gonet.ListenTCP(s, tcpip.FullAddress{
		NIC: nic, Addr: a.ip, Port: port}, a.number)
	if err != nil {
		die("listen", err)
	}
	atomic.AddInt32(running, 1)
	for {
		c, err := l.Accept()
		if err != nil {
			die("accept", err)
		}
		go service(c)
	}
}

func host(address, address6 string, gso, fd int) {
	var running int32

	addresses := []netAddress{
		{ipv4.ProtocolNumber,
			tcpip.Address(net.ParseIP(address).To4()), 24},
		{ipv6.ProtocolNumber,
			tcpip.Address(net.ParseIP(address6)), 64},
	}
	s := open(fd, addresses, gso)
	for _, a := range addresses {
		go serve(s, a, 7, echo, &running)
		go serve(s, a, 9, discard, &running)
		go serve(s, a, 19, chargen, &running)
	}
	for atomic.LoadInt32(&running) != 6 {
		syscall.Nanosleep(&syscall.Timespec{Nsec: 1e6}, nil)
	}
	fmt.Println("up")
	select {}
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 3 && args[0] == "rx":
		rx(number(args[1]), args[2])
	case len(args) == 3 && args[0] == "tx":
		tx(number(args[1]), number(args[2]))
	case len(args) == 5 && args[0] == "host":
		host(args[1], args[2], number(args[3]), number(args[4]))
	default:
		die("usage", "rx SIZE MODE | tx SIZE BATCH | "+
			"host ADDRESS ADDRESS6 GSO FD")
	}
}
