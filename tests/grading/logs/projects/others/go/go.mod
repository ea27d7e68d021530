module swerun.example/outcomes

go 1.19
