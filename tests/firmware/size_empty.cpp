// What a program costs that does nothing: the part of the others that is not pare's.
#include "board.hpp"

int main() { return 0; }
