"""What cannot be recorded, said in one sentence."""


class Refusal(Exception):
    """`code`: the exit code; the program's, where it is the program that refuses."""

    def __init__(self, sentence, code=2):
        super().__init__(sentence)
        self.code = code
