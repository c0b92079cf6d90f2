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

install: all
	meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf $(BUILD) build-check

.PHONY: all deps demo check install clean
