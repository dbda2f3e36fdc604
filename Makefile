# `make run` and `make test` install what is missing, say what they do, and are quick the second time.

target := $(or $(CARGO_TARGET_DIR),target)
export NEXUS_SITE_ROOT ?= $(target)/site
# Queries are checked against .sqlx, so that nothing needs a database to compile.
export SQLX_OFFLINE := true

.PHONY: help run test build site release lint test-rust test-sdks test-browser queries sdks bench format clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | expand -t 18

run: build site ## Start NEXUS with demo agents on http://127.0.0.1:3000
	@exec $(target)/debug/nexus serve --demo

test: ## Run every check there is
	@scripts/test

build: ## Compile the server
	@scripts/postgres-bin >/dev/null
	@cargo build --quiet --bin nexus || cargo build --bin nexus

site: ## Build what the browser gets: wasm, styles, typefaces
	@scripts/build-site

release: ## Compile the server and the site for production
	@scripts/build-site --release
	cargo build --release --bin nexus

lint: ## Formatting, lints, licences, documentation, checked queries
	@scripts/lint

test-rust: ## Tests of the server and the economy, on a throw-away PostgreSQL
	@scripts/test-rust

test-sdks: build ## Tests of the SDKs for TypeScript and Python, on a server of their own
	@scripts/test-sdks

test-browser: build site ## Tests in a real browser, on servers of their own
	@scripts/test-browser

queries: ## Write .sqlx anew after a query or a migration has changed
	@scripts/sqlx-cache

sdks: ## Make the SDKs anew after the REST API has changed
	@scripts/generate-sdks

bench: ## Measure settlements beside pgbench (bench/README.md has others)
	@scripts/bench ledger

format: ## Format the Rust sources
	cargo fmt --all

clean: ## Remove what was built; .nexus (your data) stays
	cargo clean
