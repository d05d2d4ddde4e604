"""Work with the operating system: files written whole or not at all, threads, terminals."""
