test("passes at the top", () => {});

describe("outcomes", () => {
  test("passes", () => expect(1).toBe(1));
  test("passes slowly", async () => new Promise((done) => setTimeout(done, 20)));
  test("fails", () => expect(1).toBe(2));
  test.skip("skips", () => {});
  test.todo("is to be written");
  describe("one in another", () => {
    test("passes in there", () => {});
    test("fails in there", () => {
      throw new Error("as it should");
    });
  });
});
