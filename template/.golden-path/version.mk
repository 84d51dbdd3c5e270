# Fixed into what `build` makes. CI passes them; on a laptop git tells. A tag may be called $(...), which make or the
# shell would run in a recipe: recipes read them from the environment.

# Version, commit and time of HEAD, asked for once. If git refuses, it has said why, and nothing is built.
GIT_HEAD = $(eval GIT_HEAD := $$(shell python3 .golden-path version git))$(or $(GIT_HEAD),$(error git does not say what is built here))

ifneq ($(or $(MAKECMDGOALS),help),help)
ifeq ($(origin VERSION),undefined)
VERSION := $(word 1,$(GIT_HEAD))
else ifeq ($(origin VERSION),environment)
VERSION := $(value VERSION)
endif
ifeq ($(origin REVISION),undefined)
REVISION := $(word 2,$(GIT_HEAD))
else ifeq ($(origin REVISION),environment)
REVISION := $(value REVISION)
GIVEN += REVISION
endif
COMMIT_TIME ?= $(word 3,$(GIT_HEAD))
endif
export VERSION REVISION COMMIT_TIME
