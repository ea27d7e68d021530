const test = require("tape");

test("passes", (t) => {
  t.equal(1, 1, "passes an assertion");
  t.end();
});

test("fails", (t) => {
  t.equal(1, 2, "fails an assertion");
  t.end();
});

test("skips", { skip: true }, (t) => t.fail());
