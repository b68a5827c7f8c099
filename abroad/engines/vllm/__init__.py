"""Generation with vLLM, in this process: large models, and several GPUs."""
