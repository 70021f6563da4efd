# What one can do here; `make help` lists it. `make test` is the whole gate.
# Settings: PREFIX (install), SOAK_SECONDS, FUZZ_SECONDS, BENCH (options of bench/run.py, such as --quick).

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
INSTALL_LIB = $(DESTDIR)$(PREFIX)/lib
INSTALL_INCLUDE = $(DESTDIR)$(PREFIX)/include/nthttp

.DEFAULT_GOAL := build
.PHONY: help build demo test bench soak fuzz headers install clean

help:
	@echo 'make            build target/release/libnthttp.so and libnthttp.a'
	@echo 'make demo       an example server, fetched from by two example clients'
	@echo 'make test       the whole gate'
	@echo 'make bench      CPU time, system calls, instructions and memory beside the limit and peers'
	@echo 'make soak       many connections and a mixed load for SOAK_SECONDS (120); SOAK_SANITIZER=thread'
	@echo 'make fuzz       each fuzz target for FUZZ_SECONDS (30)'
	@echo 'make headers    rewrite the generated headers'
	@echo 'make install    library, headers and nthttp.pc under PREFIX ($(PREFIX))'

build:
	@tools/build.sh --release

demo: build
	@tools/demo.sh

test:
	@tools/packages.sh
	@python3 tools/gate.py

bench: build
	python3 bench/run.py --readme $(BENCH)

soak: build
	python3 tools/soak/soak.py

fuzz:
	tools/fuzz.sh

headers:
	NTHTTP_BLESS=1 cargo test --test headers

# The headers have names that a system must not mix with others, so they lie in a folder of their own.
install: build
	install -d $(INSTALL_LIB)/pkgconfig $(INSTALL_INCLUDE)
	install -m 755 target/release/libnthttp.so $(INSTALL_LIB)/libnthttp.so.0
	ln -sf libnthttp.so.0 $(INSTALL_LIB)/libnthttp.so
	install -m 644 target/release/libnthttp.a $(INSTALL_LIB)/
	cp -R include/. $(INSTALL_INCLUDE)/
	printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$${prefix}/lib' 'includedir=$${prefix}/include/nthttp' '' \
	    'Name: nthttp' 'Description: The Windows HTTP Server API and WinHTTP' 'Version: $(VERSION)' \
	    'Libs: -L$${libdir} -lnthttp' 'Libs.private: -lpthread -ldl -lm' \
	    'Cflags: -I$${includedir} -I$${includedir}/case' > $(INSTALL_LIB)/pkgconfig/nthttp.pc

clean:
	cargo clean
	rm -rf build
