# lftflow: the header needs no build; this makes the programs, runs the tests and installs.
#   make           the command-line programs build/lft-phi4-1d ... -4d, lft-u1-2d ... -4d, lft-su2-, lft-su3-
#   make run       a demonstration in a terminal
#   make test      what a user runs: a quarter of an hour      make test-all   everything: more than an hour
#   make bench     the benchmark                               make bench-torch   its peers (needs PyTorch)
#   make bench-physics   trains for 6, 8 and 12 squared, and compares flow, HMC and published numbers: half an hour
#   make bench-phi4      trains the models of examples/models anew and checks them: hours
#   make bench-cost      CPU time per independent configuration, flow against HMC, with these models: 35 minutes; writes docs/cost.*
#   make examples  the example programs                        make install    PREFIX=/usr/local, DESTDIR=
# CC, CFLAGS and OPENMP may be set: make CC=clang CFLAGS='-O2 -g' OPENMP=
# gcc -O2 costs a tenth of the speed of -O3; -std=c99 without -ffp-contract=fast fuses no multiply-adds.
CC      ?= cc
CFLAGS  ?= -O3 -march=native -ffp-contract=fast
PYTHON  ?= python3
PREFIX  ?= /usr/local
OPENMP  := $(shell echo 'int main(void) { return 0; }' | $(CC) -fopenmp -x c - -o /dev/null 2>/dev/null && echo -fopenmp)
WARN    := -Wall -Wextra

PROGRAMS := $(foreach d,1 2 3 4,build/lft-phi4-$dd) $(foreach g,u1 su2 su3,$(foreach d,2 3 4,build/lft-$g-$dd))
EXAMPLES := $(patsubst examples/%.c,build/examples/%,$(filter-out examples/lft.c,$(wildcard examples/*.c)))
BENCHES  := $(patsubst bench/%.c,build/bench/%,$(wildcard bench/*.c))

.PHONY: all run test test-all bench benches bench-torch bench-physics bench-phi4 bench-cost examples install clean
.DELETE_ON_ERROR:

all: $(PROGRAMS)

# The product. It is committed, so that a user needs no shell; here it follows src/.
lftflow.h: tools/amalgamate.sh $(wildcard src/*.h)
	tools/amalgamate.sh

define program # name, group
build/lft-$1-%d: examples/lft.c $(wildcard examples/lft_*.h) lftflow.h
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) $$(OPENMP) $$(WARN) -DLFT_CLI_GROUP=LFT_$2 -DLFT_CLI_DIM=$$* -I. $$< -o $$@ -lm
endef
$(eval $(call program,phi4,SCALAR))
$(eval $(call program,u1,U1))
$(eval $(call program,su2,SU2))
$(eval $(call program,su3,SU3))

build/examples/%: examples/%.c lftflow.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(OPENMP) $(WARN) -I. $< -o $@ -lm

build/bench/%: bench/%.c lftflow.h
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(OPENMP) $(WARN) -I. $< -o $@ -lm

examples: $(EXAMPLES)

run: build/lft-phi4-2d
	build/lft-phi4-2d demo

test: lftflow.h
	CC='$(CC)' CFLAGS='$(CFLAGS)' tests/run.sh quick

test-all: lftflow.h
	CC='$(CC)' CFLAGS='$(CFLAGS)' tests/run.sh full

benches: $(BENCHES)

bench: $(BENCHES)
	@set -e; for program in $^; do echo "== $$program"; $$program; done

bench-torch: build/bench/phi4
	bench/torch.sh

bench-physics: build/lft-phi4-2d
	bench/physics.py --out build/physics.md

bench-phi4: build/lft-phi4-2d build/lft-phi4-3d
	bench/zoo.sh build/zoo
	bench/physics.py --only 12,20,32 --shipped build/zoo --out build/phi4.md

bench-cost: $(PROGRAMS)
	bench/cost.py --out docs/cost.md --plot docs/cost.svg

install: $(PROGRAMS)
	install -d '$(DESTDIR)$(PREFIX)/include' '$(DESTDIR)$(PREFIX)/bin'
	install -m 644 lftflow.h '$(DESTDIR)$(PREFIX)/include/'
	install -m 755 $(PROGRAMS) '$(DESTDIR)$(PREFIX)/bin/'

clean:
	rm -rf build
