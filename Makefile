# What a person types.  CMake does the building; this file names the errands.
BUILD ?= build
JOBS ?= $(shell nproc)
export EXRAY_BUILD := $(BUILD)
CMAKE_GENERATE = cmake -G Ninja -S .

.PHONY: all program demo test wheel python-test python-frameworks-test browser-test clang-test headers-test core-alone bench torture size faults table fuzz lint format install clean help

all: program

## make: builds build/exray and fetches the pinned engines
program:
	@scripts/bootstrap.sh build engine
	@$(CMAKE_GENERATE) -B $(BUILD) -DEXRAY_BUILD_TESTS=OFF >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)

## make demo: catches a deployment bug in a real classifier, then shows it mended
demo: program
	@scripts/bootstrap.sh demo
	@scripts/demo.sh

## make test: everything that CI runs
test:
	@scripts/bootstrap.sh packages build test python lint fuzz
	@scripts/test.sh

## make browser-test: the HTML report in a real browser (installs Chromium)
browser-test: program
	@scripts/bootstrap.sh test browser
	@cmake -G Ninja -S . -B $(BUILD)/test -DEXRAY_BUILD_TESTS=ON >/dev/null
	@cmake --build $(BUILD)/test -j $(JOBS) --target exray
	@EXRAY_BUILD_DIR=$(BUILD)/test $(BUILD)/python-tests/bin/python -m pytest -q tests/report/test_html.py tests/report/test_html_browser.py

## make clang-test: everything built by clang, and the C tests
clang-test:
	@scripts/bootstrap.sh build test fuzz
	@scripts/clang_test.sh

## make headers-test: the public headers in C and C++ (part of make test)
headers-test:
	@scripts/bootstrap.sh build test
	@scripts/check_headers.sh

## make core-alone: the recorder from its sources, without CMake
core-alone:
	@scripts/core_alone.sh

## make wheel: the Python package, as build/wheels/exray-*.whl
wheel:
	@scripts/bootstrap.sh python
	@scripts/python_package.sh build

## make python-test: the Python package in a fresh environment (part of make test)
python-test:
	@scripts/bootstrap.sh test python
	@scripts/python_package.sh build test

## make python-frameworks-test: its taps against PyTorch and Keras, which are heavy to install
python-frameworks-test:
	@scripts/bootstrap.sh python python-frameworks
	@scripts/python_package.sh build frameworks

## make bench: one table of ratios, each within one run
bench: program
	@scripts/bootstrap.sh test
	@scripts/bench.sh

## make torture: logs killed, cut, torn and flipped, a thousand of each kind, and what is read of them
torture: program
	@scripts/bootstrap.sh test
	@scripts/torture.sh $${TORTURE_CASES:-1000}

## make size: what the recorder takes of a device, with and without each part
size:
	@scripts/bootstrap.sh size || echo "size: without the compilers that could not be installed"
	@scripts/size.sh

## make faults: every fault on every model, and what validate named; cases beside the checkout, where there are any
faults: program
	@scripts/bootstrap.sh test demo
	@scripts/faults.sh; bench=$$?; scripts/cases.sh && exit $$bench

## make table: real models of each task, with faults: what is found, named, and left after the fix (docs/table.md)
table: program
	@scripts/bootstrap.sh test demo
	@scripts/table.sh -o docs/table.md

## make fuzz: every reader's fuzzer, FUZZ_SECONDS (600) each
fuzz:
	@scripts/bootstrap.sh build fuzz
	@scripts/fuzz.sh $${FUZZ_SECONDS:-600}

## make lint: formatting and static checks
lint: program
	@scripts/bootstrap.sh lint test
	@scripts/lint.sh

## make format: formats every C file
format:
	@git ls-files '*.c' '*.h' '*.cpp' | grep -v schema_fds | xargs clang-format -i

## make install: PREFIX=/usr/local
PREFIX ?= /usr/local
install: program
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean:
	rm -rf $(BUILD)

help:
	@grep -E '^## ' Makefile | sed 's/^## //'
