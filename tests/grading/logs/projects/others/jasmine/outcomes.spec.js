describe("outcomes", () => {
  it("passes", () => expect(1).toBe(1));
  it("fails", () => expect(1).toBe(2));
  it("fails by an exception", () => {
    throw new Error("as it should");
  });
  xit("skips", () => expect(1).toBe(2));
});
