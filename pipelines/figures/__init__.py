"""What the published tables answer, and pictures of it: asked by pages, the weekly report and notebooks alike."""
