"""All migrations, oldest first; ``copier.yml`` has an entry for each of their versions."""

from hooks.migration import Migration
from hooks.migrations import one_folder, overlay_resources, preview_at_once, python_build_script

ALL = [
    Migration("python_build_script", "0.1.0", python_build_script.run),
    Migration("preview_at_once", "0.1.0", preview_at_once.run),
    Migration("overlay_resources", "0.1.0", overlay_resources.run),
    Migration("one_folder", "0.2.0", one_folder.run),
]
