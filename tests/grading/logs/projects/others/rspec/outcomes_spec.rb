RSpec.describe "outcomes" do
  it("passes") { expect(1).to eq(1) }
  it("passes - with a dash") { expect(1).to eq(1) }
  it("fails") { expect(1).to eq(2) }
  it("fails by an exception") { raise "as it should" }
  it("is pending") { pending "later"; raise "not yet" }
  it("is skipped", skip: "not today") {}
end
