"""What the operating system is asked for: files written whole, threads, the terminal."""
