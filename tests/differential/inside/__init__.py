"""What runs as the first process of a namespace: it plays cases and tells what came of them."""
