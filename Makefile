# Natter's commands. The work is in scripts/, one short script each.
# More options for the server: make run ARGS="--listen 0.0.0.0:8080"
.DEFAULT_GOAL := help
.PHONY: help setup bundle build run dev test torture check fmt clean
ARGS ?=

help: ## Show these commands
	@echo "Natter:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

setup: ## Install what building needs, where it is missing
	@scripts/setup.sh

bundle: ## Build the browser bundle into dist/
	@scripts/bundle.sh

build: ## Build target/release/natter with everything it serves inside
	@scripts/build.sh

run: ## Build what changed and serve on http://127.0.0.1:3000
	@scripts/run.sh $(ARGS)

dev: ## Serve a debug build and rebuild it on every change
	@scripts/dev.sh $(ARGS)

test: ## Install what the tests need and run all of them
	@scripts/test.sh

torture: ## Break the server in every known way, for a long time
	@scripts/torture.sh $(ARGS)

check: ## Only formatting and lints, of the server and of the browser's side
	@scripts/test.sh format clippy clippy-wasm

fmt: ## Format the Rust code
	@cargo fmt --all

clean: ## Remove what was built here, but neither data/ nor installed tools
	rm -rf target dist end2end/test-results end2end/playwright-report
