# Two commands matter: make demo and make test.
.PHONY: demo test short race bench soak faults lint build down clean

GO ?= go

# A tag becomes a running IOC, on this machine.
demo: build
	bin/tagline demo

# Everything CI runs, on real parts.
test: lint short
	# What -short leaves out and needs no engine or cluster: namespaces, ioc-run, stock helm,
	# Sigstore, the page in a browser. The first run builds Sigstore and cosign, which is most
	# of the time allowed.
	$(MAKE) --no-print-directory compiler chromium
	$(MAKE) --no-print-directory race
	$(GO) test -count=1 -timeout 40m ./ci ./ci/local/... ./pipelines/image ./pipelines/registry ./pipelines/sign \
		./pipelines/attest ./pipelines/page
	$(GO) test -count=1 -v -timeout 80m ./ci/e2e/...

# The hermetic tests: seconds, nothing is started.
short:
	$(GO) test -short ./...
	# The Dagger module, with a stand-in for the client that Dagger generates.
	$(GO) -C ci/module vet -tags standin ./...
	$(GO) -C ci/module test -tags standin ./...
	# With the settings that tagline up builds them with, so that both share one cache.
	CGO_ENABLED=0 $(GO) -C ci/local/daggerd vet -trimpath ./...
	CGO_ENABLED=0 $(GO) -C ci/local/kube vet -trimpath ./...
	CGO_ENABLED=0 $(GO) -C ci/local/kube test -trimpath -vet=off ./...

# The rooms in which goroutines meet, under the race detector, which needs the compiler.
RACED = ./ci/faults ./pipelines/events ./pipelines/ledger ./pipelines/operate ./pipelines/page ./pipelines/pods \
	./pipelines/promote ./pipelines/registry ./pipelines/release ./pipelines/step
race:
	$(GO) test -race -short $(RACED)

# The figures of docs/performance.md, measured anew; nothing else should run beside it.
bench: build
	$(GO) run ./ci/sizes -page docs/performance.md
	bin/tagline up
	eval "$$(bin/tagline env)" && $(GO) run ./ci/bench -page docs/performance.md

# The figures of docs/reliability.md: what is left after weeks, in minutes.
SOAK ?= 30m
IOCS ?= 100
soak: build
	bin/tagline up
	$(GO) run ./ci/soak -for $(SOAK) -iocs $(IOCS) -page docs/reliability.md

# What a thing that fails at a random moment leaves half done; printed to docs/reliability.md.
RUNS ?= 200
faults: build
	bin/tagline up
	$(GO) run ./ci/faults -runs $(RUNS) -page docs/reliability.md

lint:
	test -z "$$(gofmt -l $$(git ls-files '*.go'))"
	$(GO) vet ./...
	$(GO) tool -modfile=ci/lint/go.mod staticcheck ./...
	$(MAKE) --no-print-directory shellcheck

# Debian's shellcheck, over every shell script; installed where it is missing and can be.
.PHONY: shellcheck
shellcheck:
	command -v shellcheck >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -qy shellcheck; } \
		|| { echo "shellcheck is missing; install it: apt-get install shellcheck" >&2; exit 1; }
	shellcheck --shell=sh $$(git ls-files '*.sh' ':!ci/bench')
	shellcheck .ci/run ci/bench/plain.sh

# Debian's C++ compiler, for the test of ioc-run; installed where it is missing and can be.
.PHONY: compiler
compiler:
	command -v g++ >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -qy g++; } \
		|| { echo "g++ is missing; install it: apt-get install g++" >&2; exit 1; }

# Debian's Chromium, for the tests of the page; installed where it is missing and can be.
.PHONY: chromium
chromium:
	command -v chromium >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q \
		&& apt-get install -qy --no-install-recommends chromium fonts-dejavu-core; } \
		|| { echo "chromium is missing; install it: apt-get install chromium" >&2; exit 1; }
	# The rules by which the page is looked at come from npm.
	command -v npm >/dev/null || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -qy npm; } \
		|| { echo "npm is missing; install it: apt-get install npm" >&2; exit 1; }

build:
	$(GO) build -o bin/tagline ./ci/tagline

# What a shell completes, for the archives of a release.
.PHONY: completions
completions: build
	mkdir -p bin/completions
	for shell in bash fish zsh; do bin/tagline completion $$shell >bin/completions/tagline.$$shell || exit 1; done

# Goreleaser itself, on a clone: what a tag v1.2.3 publishes, for this machine's platform.
.PHONY: release-test
release-test:
	$(GO) test -count=1 -v -timeout 20m ./ci/tagline

down: build
	bin/tagline down

clean:
	rm -rf bin
