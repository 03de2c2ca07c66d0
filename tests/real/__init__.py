"""Real processes, each test in namespaces of its own."""
