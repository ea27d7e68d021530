test("passes in a file of its own", () => {});
