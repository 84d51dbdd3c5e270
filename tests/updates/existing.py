"""Small repositories that no template wrote, as people have them, and what is to be found in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.labs.template import commit_all, git

MIT = """MIT License

Copyright (c) 2024 Somebody

Permission is hereby granted, free of charge, to any person obtaining a copy
"""
MAKEFILE = """.PHONY: all build test image push clean run fmt vet
all: build test

build:
\tmkdir -p out
\t./scripts/build.sh out

test:
\t./scripts/test.sh

image: build
\tdocker build --tag registry.local/legacy:latest .

push: image
\tdocker push registry.local/legacy:latest

clean:
\trm -rf out
"""

GO = {
    "go.mod": "module github.com/Acme-Shop/parcel-tracker/v2\n\ngo 1.24\n\nrequire github.com/google/uuid v1.6.0\n",
    "go.sum": "github.com/google/uuid v1.6.0 h1:NIvaJDMOsjHA8n1jAhLSgzrAzy1Hgr+hNrb57e+94F0=\n",
    "main.go": 'package main\n\nimport "net/http"\n\nfunc main() { _ = http.ListenAndServe(":9000", nil) }\n',
    "internal/store/store.go": "package store\n",
    "internal/store/größe.go": "package store\n",
    "Dockerfile": 'FROM golang:1.24 AS build\nCOPY . .\nRUN go build -o /app .\nEXPOSE 9000\nENTRYPOINT ["/app"]\n',
    "Makefile": MAKEFILE,
    "README.md": "# Parcel tracker\n\nTells where a parcel is.\n\n## Build\n\nmake\n",
    "CODEOWNERS": "* @Acme-Shop/Logistics\n",
    "LICENSE": MIT,
    ".golangci.yaml": 'version: "2"\n',
    ".github/workflows/build.yml": "on: push\njobs: {build: {runs-on: ubuntu-latest, steps: [{run: make}]}}\n",
}
JAVA = {
    "pom.xml": """<?xml version="1.0"?>
<!-- <!DOCTYPE in a comment is no declaration> -->
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <parent>
    <groupId>org.springframework.boot</groupId>
    <artifactId>spring-boot-starter-parent</artifactId>
    <version>3.5.0</version>
  </parent>
  <groupId>io.acme.billing</groupId>
  <artifactId>Invoice_Service</artifactId>
  <version>1.4.0-SNAPSHOT</version>
  <description>Writes invoices</description>
</project>
""",
    "src/main/java/io/acme/billing/App.java": "package io.acme.billing;\n\npublic class App {}\n",
    "src/main/resources/application.yml": "server:\n  port: ${PORT:8443}\n",
    ".github/CODEOWNERS": "# owners\n* @jane @acme/billing-core\n/docs @acme/writers\n",
    ".mvn/maven.config": "-T1C\n",
    "package.json": '{"name": "tooling", "private": true}\n',
}
NODE = {
    "package.json": """{
  "name": "@acme-web/cart",
  "version": "3.2.1",
  "description": "Keeps what a customer wants to buy",
  "license": "Apache-2.0",
  "main": "src/index.js"
}
""",
    "package-lock.json": '{"name": "@acme-web/cart", "lockfileVersion": 3, "packages": {}}\n',
    "src/index.js": "require('http').createServer().listen(3000)\n",
    "src/config.ts": "export const port = 3000\n",
    "eslint.config.js": "module.exports = []\n",
    "Dockerfile": 'FROM node:22\nCOPY . .\nEXPOSE 3000\nCMD ["node", "src/index.js"]\n',
    ".gitignore": "node_modules\n",
    "tests/index.test.js": "test\n",
}
PYTHON = {
    "pyproject.toml": """[tool.poetry]
name = "Stock.Keeper"
version = "0.3.0"
description = "Knows what is on the shelves"

[tool.ruff]
line-length = 100
""",
    "poetry.lock": "# locked\n",
    "stock_keeper/__init__.py": "",
    "stock_keeper/app.py": "print('hello')\n",
    "tests/test_app.py": "def test_it() -> None: ...\n",
    "Dockerfile": "FROM python:3.12\nEXPOSE 80\n",
    "README.rst": "Stock keeper\n============\n",
}

# The files, the remote (empty for none), and the answers that are to be found.
KINDS: Mapping[str, tuple[Mapping[str, str], str, Mapping[str, Any]]] = {
    "go": (
        GO,
        "",
        {
            "language": "go",
            "service_name": "parcel-tracker",
            "description": "Tells where a parcel is.",
            "organisation": "Acme-Shop",
            "team": "logistics",
            "licence": "MIT",
            "port": 9000,
        },
    ),
    "java": (
        JAVA,
        "ssh://git@git.example.com:7999/acme-billing/invoices.git",
        {
            "language": "java",
            "service_name": "invoices",
            "description": "Writes invoices",
            "organisation": "acme-billing",
            "team": "billing-core",
            "java_group": "io.acme.billing",
            "port": 8443,
        },
    ),
    "node": (
        NODE,
        "",
        {
            "language": "node",
            "service_name": "cart",
            "description": "Keeps what a customer wants to buy",
            "organisation": "acme-web",
            "licence": "Apache-2.0",
            "port": 3000,
        },
    ),
    "python": (
        PYTHON,
        "git@github.com:acme/Stock-Keeper.git",
        {
            "language": "python",
            "service_name": "stock-keeper",
            "description": "Knows what is on the shelves",
            "organisation": "acme",
        },
    ),
}


def write(folder: Path, files: Mapping[str, str], remote: str = "") -> Path:
    """Make a repository of these files, with a link and an executable besides; returns the folder."""
    for name, content in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode())
    (folder / "latest").symlink_to("README.md")
    (folder / "run.sh").write_text("#!/bin/sh\nexit 0\n")
    (folder / "run.sh").chmod(0o755)
    commit_all(folder)
    if remote:
        git(folder, "remote", "add", "origin", remote)
    return folder


def tree(folder: Path, commit: str) -> dict[str, str]:
    """Mode and content of each file of a commit, by path."""
    listed = git(folder, "ls-tree", "-r", "-z", commit)
    return {line.split("\t", 1)[1]: line.split("\t", 1)[0] for line in filter(None, listed.split("\0"))}
