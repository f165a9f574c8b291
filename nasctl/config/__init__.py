"""From YAML files and overrides to objects."""
