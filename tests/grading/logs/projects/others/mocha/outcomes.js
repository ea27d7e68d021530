const assert = require("assert");

describe("outcomes", () => {
  it("passes", () => {});
  it("passes slowly", (done) => setTimeout(done, 90));
  it("fails", () => assert.strictEqual(1, 2));
  it("is pending");
  describe("one in another", () => {
    it("passes in there", () => {});
    it("fails in there", () => {
      throw new TypeError("as it should");
    });
  });
});

describe("more outcomes", () => {
  it("passes (in brackets)", () => console.log("said something"));
  it("fails slowly", (done) => setTimeout(() => done(new Error("as it should")), 90));
});
