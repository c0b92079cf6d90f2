# SPDX-License-Identifier: Apache-2.0

BUILD = build

all: $(BUILD)/build.ninja
	meson compile -C $(BUILD)

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

deps:
	scripts/deps

demo: all
	scripts/demo $(BUILD)

check: deps
	scripts/check

bench: deps
	scripts/bench-build build-bench
	scripts/bench --build build-bench $(if $(QUICK),--quick)

# BASE=FILE.json, of an earlier run
bench-compare:
	scripts/bench compare $(BASE)

install: all
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-check build-bench

.PHONY: all deps demo check bench bench-compare install clean
