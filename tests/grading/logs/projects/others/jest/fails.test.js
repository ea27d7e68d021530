test("fails in a file of its own", () => expect(1).toBe(2));
