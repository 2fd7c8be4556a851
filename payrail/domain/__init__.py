"""Pure rules: values in, values out. Nothing here reads a file, a clock or a socket."""
