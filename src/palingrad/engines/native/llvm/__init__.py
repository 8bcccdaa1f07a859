"""The layer over LLVM IR: values, loops, strided views, maths functions, the target CPU."""
