# SPDX-License-Identifier: Apache-2.0

BUILD = build

all: $(BUILD)/build.ninja
	meson compile -C $(BUILD)

$(BUILD)/build.ninja: | deps-build
	meson setup $(BUILD)

# Of everything; deps-build, deps-demo, ... are what those targets need.
deps:
	scripts/deps

deps-%:
	scripts/deps $*

# Not both at once: there is one apt.
deps-demo deps-check deps-site deps-deb deps-chroots: deps-build

demo: deps-demo all
	scripts/demo $(BUILD)

# BUILDS=gcc for one of them; see scripts/check.
check: deps-check
	scripts/guest-deps
	scripts/check $(BUILDS)

# What make check has a choice of: a gigabyte each way over every combination,
# ten minutes of disturbances for every kind of link in each mode, and every
# failure of every call that an endpoint makes.
check-long: deps-check all
	meson configure $(BUILD) -Dtests=enabled
	meson compile -C $(BUILD)
	$(MAKE) -j3 long-traffic long-relay long-chaos
	$(MAKE) -j2 long-connect long-tunnel
	$(MAKE) -j4 long-recut long-faults $(SOAKS:%=long-soak-%)
	scripts/check --whole clang gcc-asan gcc-tsan
	$(MAKE) deb

long-traffic:
	FDLINK=$(BUILD)/cli/fdlink RELAY=$(BUILD)/tests/netns/relay \
		bash tests/netns/traffic.sh 1024 all

long-relay:
	FDLINK=$(BUILD)/cli/fdlink bash tests/netns/relay.sh \
		$(BUILD)/tests/netns/relay 1024 all

long-connect:
	FDLINK=$(BUILD)/cli/fdlink bash tests/netns/connect.sh 1024

long-tunnel:
	FDLINK=$(BUILD)/cli/fdlink bash tests/netns/tunnel.sh 256 \
		$(BUILD)/tests/netns/coalesce

# SECONDS=1800 for half an hour; the seed is another one each time.
long-chaos:
	FDLINK=$(BUILD)/cli/fdlink bash tests/netns/chaos.sh \
		$(or $(SECONDS),180) $$$$

SOAKS = tap tap-opened tun macvtap veth packet seqpacket seqpacket-ip \
	seqpacket-vnet stream dgram dgram-ip vfkit udp udp-ip null

long-soak-%:
	$(BUILD)/tests/soak/soak --seconds 600 --kind $*

long-recut:
	$(BUILD)/tests/oracle/oracle_recut 300

long-faults:
	FAULT_WALK=all $(BUILD)/tests/fault/fault_walk

# For other machines, and with musl.
check-cross: deps-build
	scripts/check-cross $(TARGETS)

# The Debian packages, in build-deb, and what lintian says of them
deb: deps-deb
	scripts/deb $(or $(DEBS),build-deb)

# Fresh releases of Debian: STEPS=demo, check, packages, compilers;
# SUITES=trixie. An hour and more.
check-chroots: deps-chroots
	SUITES="$(SUITES)" scripts/check-chroots $(STEPS)

# SECONDS for each fuzzer
fuzz: deps-check
	scripts/fuzz $(SECONDS)

bench: deps-demo
	scripts/bench-build build-bench
	scripts/bench --build build-bench $(if $(QUICK),--quick)

# BASE=FILE.json, of an earlier run
bench-compare:
	scripts/bench compare $(BASE)

# README.md, doc/ and the manual pages as HTML: build-site/index.html
site: deps-site
	rm -rf build-site
	scripts/site build-site

install: all
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-check build-cross build-bench build-deb build-fuzz \
		build-site build-chroots

.PHONY: all deps demo deb check check-cross check-chroots check-long \
	long-traffic long-relay long-connect long-tunnel long-chaos \
	long-recut long-faults fuzz bench bench-compare site install clean
